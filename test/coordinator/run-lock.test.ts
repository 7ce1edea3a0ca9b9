import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { lockOwner, RunLock } from '../../lib/coordinator/run-lock.js';
import { codeOf, messageOf } from '../../lib/errors.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function refusal(): unknown {
  try {
    RunLock.acquire(folder);
  } catch (error) {
    return error;
  }
  throw new Error('the lock was given');
}

/** The lock of a process, as it would be found. */
function writeLock(epoch: number, changes: object): void {
  const own = RunLock.acquire(folder);
  const content = JSON.parse(readFileSync(join(folder, `lock.${own.epoch}`), 'utf8')) as object;
  rmSync(join(folder, `lock.${own.epoch}`));
  writeFileSync(join(folder, `lock.${epoch}`), JSON.stringify({ ...content, ...changes }));
}

describe('the lock of a run folder', () => {
  test('is held by one, and counts the runs', () => {
    const first = RunLock.acquire(folder);
    expect(first.epoch).toBe(1);
    expect(lockOwner(folder)).toMatchObject({ pid: process.pid, host: hostname() });
    const error = refusal();
    expect(codeOf(error)).toBe('ERR_RUN_LOCKED');
    expect(messageOf(error)).toContain(`process ${process.pid} on host ${hostname()} since 20`);
    first.release();
    expect(lockOwner(folder)).toBeUndefined();
    const second = RunLock.acquire(folder);
    expect(second.epoch).toBe(2);
    second.release();
    expect(readdirSync(folder)).toEqual(['lock.2']);
  });

  test('of a process that is gone is taken over', () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    writeLock(7, { pid });
    expect(RunLock.acquire(folder).epoch).toBe(8);
    expect(readdirSync(folder)).toEqual(['lock.8']);
  });

  test('is not kept by another process that happens to have the number', () => {
    writeLock(3, { processStart: '1' });
    expect(lockOwner(folder)).toBeUndefined();
    expect(RunLock.acquire(folder).epoch).toBe(4);
  });

  test('of before the machine was started again is taken over, of another host never', () => {
    writeLock(1, { boot: 'another' });
    RunLock.acquire(folder).release();
    writeLock(5, { host: 'elsewhere', pid: 1 });
    expect(messageOf(refusal())).toMatch(/process 1 on host elsewhere .* delete .*lock\.5/);
  });

  test('that is damaged is an error', () => {
    writeFileSync(join(folder, 'lock.1'), '{"host"');
    expect(codeOf(refusal())).toBe('ERR_METADATA');
  });

  test('of a dead process goes to exactly one of several who want it', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    writeLock(1, { pid });
    const module = join(import.meta.dirname, '../../lib/coordinator/run-lock.js');
    const script = `import { RunLock } from ${JSON.stringify(module)};
      try { console.log('epoch ' + RunLock.acquire(${JSON.stringify(folder)}).epoch); setTimeout(() => {}, 30000); }
      catch (error) { console.log(error.code); }`;
    const children = Array.from({ length: 6 }, () => spawn(process.execPath, ['--input-type=module', '-e', script]));
    const answers = await Promise.all(
      children.map(
        (child) =>
          new Promise<string>((resolve) => child.stdout.once('data', (bytes) => resolve(String(bytes).trim()))),
      ),
    );
    for (const child of children) child.kill('SIGKILL');
    expect(answers.sort()).toEqual([...Array(5).fill('ERR_RUN_LOCKED'), 'epoch 2']);
  });
});
