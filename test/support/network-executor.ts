import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { WorkerHandle, WorkerRequest } from '../../lib/coordinator/executor.js';
import type { ListenOptions, NetworkAddress } from '../../lib/coordinator/network-address.js';
import { LocalExecutor, type LocalExecutorOptions } from '../../lib/workers/local-executor.js';
import { toyWorker } from './toy-run.js';

/** Local toy workers that come over TCP, on loopback if nothing else is said. */
export class NetworkExecutor extends LocalExecutor {
  readonly listens = 'network';

  constructor(
    readonly listen: ListenOptions = { address: '127.0.0.1', hostToo: true },
    options: Partial<LocalExecutorOptions> = {},
  ) {
    super({ command: process.execPath, args: [toyWorker], ...options });
  }
}

export type Direction = 'to coordinator' | 'to worker';

/** What a {@link ProxyExecutor} does with bytes that pass; undefined holds them back for good. */
export type Meddle = (bytes: Buffer, direction: Direction, connection: number) => Buffer | undefined;

/** Toy workers that reach the coordinator through a proxy in this process only. */
export class ProxyExecutor extends NetworkExecutor {
  /** Each connection so far, and whether one of its ends has closed it. */
  readonly connections: { ended: boolean }[] = [];
  private server: Server | undefined;
  private readonly sockets = new Set<Socket>();
  private target: NetworkAddress | undefined;

  constructor(
    private readonly meddle: Meddle,
    options: Partial<LocalExecutorOptions> = {},
  ) {
    super(undefined, options);
  }

  async open(): Promise<void> {
    const server = createServer({ allowHalfOpen: false }, (socket) => this.pass(socket));
    this.server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  }

  override start(request: WorkerRequest): WorkerHandle {
    // workers see a run folder of their own, with the proxy's address
    const control = join(request.runDirectory, 'control');
    const runDirectory = `${request.runDirectory}.proxy`;
    const whereabouts = JSON.parse(readFileSync(join(control, 'address.json'), 'utf8')) as {
      addresses: NetworkAddress[];
    };
    this.target = whereabouts.addresses[0];
    mkdirSync(join(runDirectory, 'control'), { recursive: true });
    writeFileSync(join(runDirectory, 'control', 'key'), readFileSync(join(control, 'key')));
    const address = JSON.stringify({ ...whereabouts, addresses: [this.server?.address()] });
    writeFileSync(join(runDirectory, 'control', 'address.json'), address);
    return super.start({ ...request, runDirectory });
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server?.close(resolve));
  }

  private pass(worker: Socket): void {
    const { address, port } = this.target!;
    const coordinator = connect(port, address);
    const number = this.connections.push({ ended: false }) - 1;
    for (const [from, to, direction] of [
      [worker, coordinator, 'to coordinator'],
      [coordinator, worker, 'to worker'],
    ] as const) {
      this.sockets.add(from);
      from.setNoDelay(true);
      from.on('data', (bytes) => {
        const passing = this.meddle(bytes, direction, number);
        if (passing !== undefined) to.write(passing);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        this.connections[number].ended = true;
        // what is held back is not told of the end, either
        if (this.meddle(Buffer.alloc(0), direction, number) !== undefined) to.destroy();
        this.sockets.delete(from);
      });
    }
  }
}
