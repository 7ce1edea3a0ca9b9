import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { newKey } from '../../lib/coordinator/authentication.js';
import { readCredentials } from '../../lib/coordinator/control-folder.js';
import { RunFolder } from '../../lib/coordinator/run-folder.js';
import { messageOf } from '../../lib/errors.js';
import { join as joinCoordinator } from '../../lib/workers/join.js';
import { NetworkExecutor } from '../support/network-executor.js';
import { processesOf } from '../support/processes.js';
import { toyChain, toyFolder, toyRun } from '../support/toy-run.js';

/** All files below a folder, and what is in them. */
function filesBelow(folder: string): { path: string; bytes: Buffer }[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return { path, bytes: readIfThere(path) };
    });
}

/** Of a process, which may have ended, or a temporary file, which may have got another name. */
function readIfThere(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}

/** The texts as which a key might be somewhere. */
function formsOf(key: string): string[] {
  const bytes = Buffer.from(key, 'hex');
  // of base64 what does not depend on where the key begins
  const shifted = [0, 1, 2].map((before) =>
    Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .slice(4, -5),
  );
  return [key, key.toUpperCase(), bytes.toString('latin1'), ...shifted, bytes.toString('base64url').slice(0, -1)];
}

test.each(['host', 'network'])(
  "the run's key is in its file alone, and only its owner can read it (%s)",
  async (transport) => {
    const place = toyFolder();
    // one block fails for good, one in its first attempt, so that errors and logs are there
    const [first, second] = toyChain([3, 3]);
    const toys = [
      { ...first, act: 'exit' as const, on: [8], until: 1 },
      { ...second, act: 'throw' as const, on: [4] },
    ];
    const executor = transport === 'network' ? { executor: new NetworkExecutor() } : {};
    let key = '';
    let looked = 0;
    const events: string[] = [];
    const where = (text: Buffer | string, name: string) => {
      const found = Buffer.isBuffer(text) ? text.toString('latin1') : text;
      return formsOf(key).some((form) => found.includes(form)) ? [name] : [];
    };
    const tell: string[] = [];
    const result = await toyRun(place, toys, {
      ...executor,
      onEvent: (event) => {
        events.push(JSON.stringify(event));
        if (event.type !== 'block-done') return;
        const control = join(place.run, 'control');
        key = readCredentials(new RunFolder(place.run)).key;
        expect(statSync(control).mode & 0o777).toBe(0o700);
        for (const name of ['key', 'address.json']) expect(statSync(join(control, name)).mode & 0o777).toBe(0o600);
        const holders = filesBelow(place.folder).flatMap(({ path, bytes }) => where(bytes, path));
        expect(holders).toEqual([join(control, 'key')]);
        for (const pid of [process.pid, ...processesOf(place.run)]) {
          for (const file of ['cmdline', 'environ', 'comm']) {
            const path = `/proc/${pid}/${file}`;
            tell.push(...where(readIfThere(path), path));
          }
          looked++;
        }
      },
    });
    expect(result).toMatchObject({ complete: false, tasks: [{ done: 9 }, { done: 8, failed: 1 }] });
    // this process and workers, several times
    expect(looked).toBeGreaterThan(17);
    expect(tell).toEqual([]);
    expect(existsSync(join(place.run, 'control'))).toBe(false);
    expect(filesBelow(place.folder).flatMap(({ path, bytes }) => where(bytes, path))).toEqual([]);
    expect(where(`${events} ${JSON.stringify(result)}`, 'events')).toEqual([]);
    place.remove();
  },
);

test('what goes wrong with a key does not say it', async () => {
  const key = newKey();
  const credentials = { socket: '/nowhere/socket', key, addresses: [{ address: '127.0.0.1', port: 1 }] };
  for (const way of [credentials, { ...credentials, addresses: [] }, { ...credentials, host: 'elsewhere' }]) {
    const error = await joinCoordinator(way, { role: 'worker', workerId: '1.0' }).catch((thrown: unknown) => thrown);
    const text = `${messageOf(error)} ${(error as Error).stack} ${JSON.stringify(error)}`;
    for (const form of formsOf(key)) expect(text).not.toContain(form);
    expect(text).toMatch(/ECONNREFUSED|ENOENT/);
  }
});
