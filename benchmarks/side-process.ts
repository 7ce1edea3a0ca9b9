import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { sampleTree } from './resources.js';
import type { Cost } from './side.js';

/** One side of a comparison, in a process of its own that has loaded its input and runs when asked (see side.ts). */
export class SideProcess {
  private readonly answers: AsyncIterator<string>;
  private readonly ended: Promise<string>;
  private errors = '';

  private constructor(
    private readonly name: string,
    private readonly child: ChildProcessWithoutNullStreams,
  ) {
    this.answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text: string) => {
      this.errors = (this.errors + text).slice(-4000);
    });
    child.stdin.on('error', () => {}); // it ended: the next answer says so
    this.ended = new Promise((resolve) => {
      child.on('error', (error) => resolve(error.message));
      child.on('close', (status, signal) => resolve(`ended with ${signal ?? `status ${status}`}`));
    });
  }

  /** Starts the process and waits until it has loaded its input. Throws with its last output when it cannot. */
  static async start(name: string, command: string, args: readonly string[], folder: string): Promise<SideProcess> {
    const side = new SideProcess(
      name,
      spawn(command, args, {
        cwd: folder,
        // The references use one thread; ours is told by an option.
        env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', NUMBA_NUM_THREADS: '1' },
      }),
    );
    await side.answer();
    return side;
  }

  private async answer(): Promise<Record<string, unknown>> {
    const next = await this.answers.next();
    if (next.done === true) throw new Error(`${this.name}: ${await this.ended}\n${this.errors}`);
    return JSON.parse(next.value) as Record<string, unknown>;
  }

  private ask(request: object): Promise<Record<string, unknown>> {
    this.child.stdin.write(`${JSON.stringify(request)}\n`);
    return this.answer();
  }

  /** Runs once. With `tree` the memory is that of the process and all below it, sampled, in place of its own growth. */
  async run(tree: boolean): Promise<Cost> {
    if (!tree) return (await this.ask({ do: 'run' })) as unknown as Cost;
    const stop = sampleTree(this.child.pid as number);
    try {
      const cost = (await this.ask({ do: 'run' })) as unknown as Cost;
      return { ...cost, peakBytes: stop() };
    } finally {
      stop();
    }
  }

  /** Writes the last result into a folder. */
  async write(folder: string): Promise<void> {
    await this.ask({ do: 'write', folder });
  }

  async end(): Promise<void> {
    this.child.stdin.end();
    await this.ended;
  }
}
