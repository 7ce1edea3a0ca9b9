import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from '../errors.js';

/**
 * Two sides see each other's files. The caller writes a call and waits for its answer, then replaces the call by a second one and
 * waits until the answer is replaced. Only the caller's clock is read, so that clocks need not agree.
 */
export interface Exchange {
  /** Seconds from the first call to its answer: both had to see a new file. */
  readonly first: number;
  /** The same of the second: both had to see a replaced file. */
  readonly replaced: number;
}

const ROUNDS = ['1', '2'] as const;
/** Milliseconds between looks: at first, and where it takes long. */
const PAUSES = [20, 200];

/** The caller's side. Throws when no answer is seen within so many seconds. */
export async function call(folder: string, name: string, seconds: number): Promise<Exchange> {
  const times: number[] = [];
  for (const round of ROUNDS) {
    const begin = performance.now();
    await replace(join(folder, `${name}.call`), round);
    await seen(join(folder, `${name}.answer`), round, seconds);
    times.push((performance.now() - begin) / 1000);
  }
  return { first: times[0], replaced: times[1] };
}

/** The other side. Throws when a call is not seen within so many seconds, or when the signal is raised. */
export async function answer(folder: string, name: string, seconds: number, signal?: AbortSignal): Promise<void> {
  for (const round of ROUNDS) {
    await seen(join(folder, `${name}.call`), round, seconds, signal);
    await replace(join(folder, `${name}.answer`), round);
  }
}

/** With a second process of this machine, which is the caller. */
export async function exchangeWithProcess(folder: string, name: string, seconds: number): Promise<Exchange> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'exchange-main.js'), folder, name, String(seconds)],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const over = new AbortController();
  try {
    const ended = outputOf(child).finally(() => over.abort());
    const [result] = await Promise.all([ended, answer(folder, name, seconds, over.signal)]);
    return JSON.parse(result) as Exchange;
  } finally {
    child.kill('SIGKILL');
  }
}

function outputOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let out = '';
    let error = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      error += text;
    });
    child.on('error', reject);
    child.on('close', (status) => (status === 0 ? resolve(out) : reject(new Error(error.trim() || 'it ended'))));
  });
}

/** Writes a file whole under another name, then gives it its own. */
export async function replace(path: string, content: string): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

async function seen(path: string, content: string, seconds: number, signal?: AbortSignal): Promise<void> {
  const begin = performance.now();
  let found = 'none';
  for (;;) {
    try {
      found = await readFile(path, 'utf8');
      if (found === content) return;
    } catch (error) {
      // of a network file system: a file that was replaced while it was opened
      if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ESTALE') throw error;
    }
    const passed = performance.now() - begin;
    if (passed > seconds * 1000) {
      const what = found === 'none' ? 'no file' : 'the file that it replaced';
      throw new Error(`expected to see what the other side wrote within ${seconds} s, found ${what}: ${path}`);
    }
    await delay(PAUSES[passed < 2_000 ? 0 : 1], undefined, signal === undefined ? {} : { signal });
  }
}
