import { type Credentials, writeWhereabouts } from './control-folder.js';
import type { RunEvent } from './events.js';
import type { Journal } from './journal.js';
import { Listener, type ListenerOptions } from './listener.js';
import type { NetworkAddress } from './network-address.js';
import type { RunFolder } from './run-folder.js';
import type { PoolOptions } from './worker-pools.js';

export type { Listener };

interface Run {
  readonly folder: RunFolder;
  readonly credentials: Credentials;
  readonly journal: Journal;
  readonly pools: readonly PoolOptions[];
  onEvent(event: RunEvent): void;
}

/** The listener of a run: on the Unix socket, and on the network where one of the run's executors asks for it. */
export function runListener(run: Run, now: () => number, onPeer: ListenerOptions['onPeer']): Listener {
  const { socket, key } = run.credentials;
  const onProved = (address: NetworkAddress) => {
    publish(run, [address]);
    run.journal.write('address-proved', address);
    run.onEvent({ type: 'address-proved', ...address });
  };
  return new Listener({ socket, key, network: networksOf(run), now, onPeer, onProved });
}

/** Listens, and says where in the address file. */
export async function openListener(listener: Listener, run: Run): Promise<void> {
  await listener.open();
  if (listener.addresses.length === 0) return;
  run.journal.write('listening', { addresses: listener.addresses });
  publish(run, listener.addresses);
}

function publish(run: Run, addresses: readonly NetworkAddress[]): void {
  const hostToo = networksOf(run).some((network) => network.hostToo === true);
  writeWhereabouts(run.folder, { socket: run.credentials.socket, hostToo, addresses });
}

function networksOf({ pools }: Run) {
  return pools.flatMap(({ executor }) => (executor.listens === 'network' ? [executor.listen ?? {}] : []));
}
