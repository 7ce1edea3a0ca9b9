import { spawn } from 'node:child_process';
import { BatchError, type BatchErrorKind } from './batch-system.js';

export interface CommandOptions {
  /** The environment, all of it. */
  readonly env: NodeJS.ProcessEnv;
  /** Written to its standard input. */
  readonly input?: string | undefined;
  /** What it prints as an error before it tries for long what would end as this: it is killed then. */
  readonly giveUpAt?: { readonly text: RegExp; readonly kind: BatchErrorKind } | undefined;
  /** It is killed then. @default 60 */
  readonly timeoutSeconds?: number | undefined;
}

export interface CommandAnswer {
  /** Exit status; null when a signal ended it. */
  readonly status: number | null;
  readonly output: string;
  /** What it printed as errors, without empty lines. */
  readonly errors: string;
}

/** Bytes of output after which a command is taken to have lost its mind. */
const OUTPUT_LIMIT = 1 << 28;

/** Runs a command of a batch system. Rejects with 'missing' where there is none, with 'unavailable' when it does not end in time. */
export function runCommand(
  command: string,
  args: readonly string[],
  { env, input = '', giveUpAt, timeoutSeconds = 60 }: CommandOptions,
): Promise<CommandAnswer> {
  return new Promise((resolve, reject) => {
    // a group of its own: Ctrl-C in the terminal is not for it, and all of it can be killed
    const child = spawn(command, args, { env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    let bytes = 0;
    const giveUp = (why: string, kind: BatchErrorKind = 'unavailable') => {
      clearTimeout(timer);
      kill();
      const said = textOf(errors);
      reject(new BatchError(kind, why === '' ? said : `${command} ${why}${said === '' ? '' : `: ${said}`}`));
    };
    const kill = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // it has ended
      }
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
    };
    const timer = setTimeout(() => giveUp(`did not end within ${timeoutSeconds} s`), timeoutSeconds * 1000);
    const collect = (parts: Buffer[]) => (part: Buffer) => {
      bytes += part.byteLength;
      if (bytes <= OUTPUT_LIMIT) parts.push(part);
      else giveUp('prints without end');
    };
    child.stdout.on('data', collect(output));
    child.stderr.on('data', collect(errors));
    child.stderr.on('data', () => {
      if (giveUpAt?.text.test(textOf(errors)) === true) giveUp('', giveUpAt.kind);
    });
    // one that ends without reading is judged by its status
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    child.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      const kind = error.code === 'ENOENT' || error.code === 'EACCES' ? 'missing' : 'unavailable';
      reject(new BatchError(kind, `cannot run ${command}: ${error.message}`));
    });
    child.once('close', (status) => {
      clearTimeout(timer);
      resolve({ status, output: Buffer.concat(output).toString('utf8'), errors: textOf(errors) });
    });
  });
}

function textOf(parts: readonly Buffer[]): string {
  const lines = Buffer.concat(parts).toString('utf8').split('\n');
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n')
    .slice(0, 4000);
}
