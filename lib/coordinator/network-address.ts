import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { BlockwrightError } from '../errors.js';

/** Where a coordinator listens for workers on other hosts. */
export interface ListenOptions {
  /** The addresses of one network interface, e.g. 'ib0'. @default all that other hosts could reach */
  readonly interface?: string | undefined;
  /** One address of this host. */
  readonly address?: string | undefined;
  /** @default any that is free */
  readonly port?: number | undefined;
  /** Workers on this host come over the network, too; without a name over loopback as well. @default false */
  readonly hostToo?: boolean | undefined;
}

/** An address of a host, and a port. */
export interface NetworkAddress {
  readonly address: string;
  readonly port: number;
}

/**
 * The addresses of this host on which to listen, never "all of them". Throws ERR_CONFIG for an address or interface that
 * is none of this host's, and when there is no address that other hosts could reach.
 */
export function listenAddresses({ address, interface: name, hostToo = false }: ListenOptions): string[] {
  const here = Object.entries(networkInterfaces()).flatMap(([key, entries = []]) =>
    entries.map((entry) => ({ name: key, ...entry })),
  );
  if (address !== undefined) {
    // 0.0.0.0 and :: are the addresses of no interface
    if (isIP(address) !== 0 && here.some((entry) => entry.address === address)) return [address];
    refuse('listen.address', here.map((entry) => entry.address).join(', '), address);
  }
  if (name !== undefined && !here.some((entry) => entry.name === name)) {
    refuse('listen.interface', [...new Set(here.map((entry) => entry.name))].join(', '), name);
  }
  const usable = here.filter((entry) => {
    // a link-local address means nothing without the interface's number on the other host
    if ('scopeid' in entry && entry.scopeid !== 0) return false;
    return name === undefined ? hostToo || !entry.internal : entry.name === name;
  });
  if (usable.length === 0) {
    refuse(name === undefined ? 'listen' : 'listen.interface', 'an address that other hosts can reach', name ?? 'none');
  }
  return usable.map((entry) => entry.address);
}

function refuse(option: string, expected: string, found: string): never {
  throw new BlockwrightError('ERR_CONFIG', `${option}: expected one of this host's (${expected}), found ${found}`);
}

/** Whether data is a {@link NetworkAddress}. */
export function isNetworkAddress(value: unknown): value is NetworkAddress {
  const { address, port } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  return typeof address === 'string' && isIP(address) !== 0 && Number.isInteger(port) && Number(port) > 0;
}
