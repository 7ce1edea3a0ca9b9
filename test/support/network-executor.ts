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

/** What a {@link ProxyExecutor} does with bytes that pass. */
export type Meddle = (bytes: Buffer, direction: Direction, connection: number) => Buffer | Promise<Buffer>;

/** Toy workers that reach the coordinator through a proxy in this process only. */
export class ProxyExecutor extends NetworkExecutor {
  /** Each connection so far, and whether one of its ends has closed it. */
  readonly connections: { ended: boolean }[] = [];
  private server: Server | undefined;
  private readonly sockets = new Set<Socket>();
  private target: NetworkAddress | undefined;
  /** While it holds, nothing passes the connections that there were, and their workers cannot be ended. */
  private partition: { readonly before: number; readonly over: Promise<void>; mend(): void } | undefined;

  constructor(
    private readonly meddle: Meddle = (bytes) => bytes,
    options: Partial<LocalExecutorOptions> = {},
  ) {
    super(undefined, options);
  }

  async open(): Promise<void> {
    const server = createServer((socket) => this.pass(socket));
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
    const handle = super.start({ ...request, runDirectory });
    const begun = this.connections.length;
    const kill = () => {
      if (this.partition === undefined || begun >= this.partition.before) handle.kill();
    };
    return { ...handle, kill };
  }

  async close(): Promise<void> {
    this.mend();
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server?.close(resolve));
  }

  /** From now on nothing comes through, nor is anybody told; new connections are not affected. */
  cut(): void {
    let mend: () => void = () => undefined;
    const over = new Promise<void>((resolve) => {
      mend = resolve;
    });
    this.partition = { before: this.connections.length, over, mend };
  }

  /** What was sent meanwhile comes through. */
  mend(): void {
    this.partition?.mend();
  }

  private pass(worker: Socket): void {
    const { address, port } = this.target!;
    const coordinator = connect(port, address);
    const number = this.connections.push({ ended: false }) - 1;
    for (const [from, to, direction] of [
      [worker, coordinator, 'to coordinator'],
      [coordinator, worker, 'to worker'],
    ] as const) {
      let queue = Promise.resolve();
      const later = (action: () => void | Promise<void>) => {
        queue = queue.then(async () => {
          if (number < (this.partition?.before ?? 0)) await this.partition?.over;
          await action();
        });
      };
      this.sockets.add(from);
      from.setNoDelay(true);
      from.on('data', (bytes) => later(async () => void to.write(await this.meddle(bytes, direction, number))));
      from.on('error', () => undefined);
      from.on('close', () => {
        this.sockets.delete(from);
        this.connections[number].ended = true;
        later(() => void to.destroy());
      });
    }
  }
}
