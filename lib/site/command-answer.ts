import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { codeOf, messageOf } from '../errors.js';

/** How a command of the site answered. */
export interface CommandAnswer {
  /** `missing`: it is not there; `silent`: it did not end in time and was killed; `failed`: it ended with an error. */
  readonly outcome: 'answered' | 'failed' | 'silent' | 'missing';
  readonly out: string;
  /** What it said on the other stream, or why it could not be started. */
  readonly error: string;
}

/** Asks a command of the site. Never throws. */
export type Ask = (command: string, ...args: string[]) => Promise<CommandAnswer>;

/** More than this of an answer is not read: nothing that is asked for here is as long. */
const MOST_BYTES = 16 * 1024 * 1024;

/** Asks commands that may fail, hang or answer anything; each has so many seconds. */
export function askWithin(seconds: number, env: NodeJS.ProcessEnv = process.env): Ask {
  return (command, ...args) =>
    new Promise((resolve) => {
      let out = '';
      let error = '';
      let settled = false;
      // a group of its own: what hangs may have started others, that hold the pipes open
      const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
      const kill = () => {
        try {
          if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
        } catch {
          // it has ended
        }
      };
      const end = (outcome: CommandAnswer['outcome'], reason?: string) => {
        if (settled) return;
        settled = true;
        clearTimeout(timer);
        child.stdout.destroy();
        child.stderr.destroy();
        resolve({ outcome, out, error: reason ?? error });
      };
      const timer = setTimeout(() => {
        kill();
        end('silent', `no answer within ${seconds} s`);
      }, seconds * 1000);
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        out += text;
        if (out.length > MOST_BYTES) {
          kill();
          end('failed', `an answer of more than ${MOST_BYTES} characters`);
        }
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        if (error.length < MOST_BYTES) error += text;
      });
      child.on('error', (thrown) => end(codeOf(thrown) === 'ENOENT' ? 'missing' : 'failed', messageOf(thrown)));
      child.on('close', (status, signal) => {
        if (status === 0) end('answered');
        else end('failed', error.trim() === '' ? `ended with ${signal ?? `status ${status}`}` : undefined);
      });
    });
}

/** Where a command is, by PATH; undefined when it is nowhere. */
export async function findCommand(name: string, path = process.env.PATH ?? ''): Promise<string | undefined> {
  for (const folder of path.split(delimiter)) {
    if (folder === '') continue;
    const file = join(folder, name);
    try {
      await access(file, constants.X_OK);
      return file;
    } catch {
      // not here
    }
  }
  return undefined;
}
