import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { LocalExecutor } from '../../lib/workers/local-executor.js';
import { until } from '../support/processes.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'executor-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function start(script: string, options: { threads?: number; env?: Record<string, string> } = {}) {
  const executor = new LocalExecutor({ command: process.execPath, args: ['-e', script, '--'], ...options });
  const logFile = join(folder, 'logs', 'worker.log');
  return { logFile, handle: executor.start({ workerId: '1.0', runDirectory: folder, logFile }) };
}

describe('a local worker', () => {
  test('gets its arguments, thread counts and environment, and logs to its file by itself', async () => {
    const script = `
      const { OMP_NUM_THREADS, UV_THREADPOOL_SIZE, BLOSC_NTHREADS, MINE } = process.env;
      console.log(JSON.stringify([process.argv.slice(1), OMP_NUM_THREADS, UV_THREADPOOL_SIZE, BLOSC_NTHREADS, MINE]));
      console.error('to standard error');`;
    const { logFile, handle } = start(script, { threads: 6, env: { MINE: 'yes', BLOSC_NTHREADS: '2' } });
    expect(await handle.ended).toEqual({
      status: 0,
      signal: null,
      lastLines: expect.stringContaining('standard error'),
    });
    const [line, other] = readFileSync(logFile, 'utf8').split('\n');
    expect(JSON.parse(line)).toEqual([['--run-directory', folder, '--worker-id', '1.0'], '6', '6', '2', 'yes']);
    expect(other).toBe('to standard error');
  });

  test('appends to a log that is there; the last lines are its own', async () => {
    const { logFile, handle } = start('console.log("first")');
    await handle.ended;
    writeFileSync(logFile, `before\n${'x'.repeat(10)}\n`);
    const second = start('console.log("y".repeat(9000)); process.exit(4)');
    const end = await second.handle.ended;
    expect(end.status).toBe(4);
    expect(end.lastLines).toMatch(/^y{4095}$/);
    expect(readFileSync(logFile, 'utf8')).toMatch(/^before\nx{10}\ny{9000}\n$/);
  });

  const startsChild = (more: string) => {
    const pidFile = join(folder, 'pid');
    const { handle } = start(`
      const child = require('node:child_process').spawn('sleep', ['600']);
      require('node:fs').writeFileSync(${JSON.stringify(pidFile)}, String(child.pid));
      ${more}`);
    const pid = () => (existsSync(pidFile) ? readFileSync(pidFile, 'utf8') : '');
    const gone = () =>
      !existsSync(`/proc/${pid()}`) || /State:\s+[ZX]/.test(readFileSync(`/proc/${pid()}/status`, 'utf8'));
    return { handle, pid, gone };
  };

  test('is ended with what it started', async () => {
    const { handle, pid, gone } = startsChild('setInterval(() => {}, 1000);');
    await until('its child runs', () => pid() !== '');
    expect(handle.description).toMatch(/^process \d+$/);
    handle.kill();
    expect(await handle.ended).toMatchObject({ status: null, signal: 'SIGKILL' });
    handle.kill();
    await until('the child has ended', gone);
  });

  test('that ends by itself leaves nothing behind', async () => {
    const { handle, pid, gone } = startsChild('process.exit(3);');
    expect(await handle.ended).toMatchObject({ status: 3 });
    expect(pid()).not.toBe('');
    await until('the child has ended', gone);
  });

  test('that cannot start ends with the reason', async () => {
    const logFile = join(folder, 'worker.log');
    const request = { workerId: '1.0', runDirectory: folder, logFile };
    const missing = new LocalExecutor({ command: join(folder, 'missing') }).start(request);
    expect(await missing.ended).toMatchObject({ status: null, lastLines: expect.stringContaining('ENOENT') });
    missing.kill();
    writeFileSync(join(folder, 'file'), '');
    const noLog = new LocalExecutor({ command: process.execPath }).start({
      ...request,
      logFile: join(folder, 'file/x.log'),
    });
    expect(await noLog.ended).toMatchObject({ status: null, lastLines: expect.stringContaining('file') });
  });
});
