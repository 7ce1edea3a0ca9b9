import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

// `npm run fuzz` goes on with other seeds.
const SEED = 1;
const EXECUTIONS = 2500;

test('native functions refuse hostile arguments by name, and never crash', () => {
  const findings = mkdtempSync(join(tmpdir(), 'blockwright-findings-'));
  const main = join(import.meta.dirname, 'calls-main.js');
  const options = ['--seed', String(SEED), '--executions', String(EXECUTIONS), '--findings', findings];
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [main, ...options], { encoding: 'utf8' });
  rmSync(findings, { recursive: true, force: true });
  expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' });
  // Otherwise the loop does not reach what it is there for.
  const outcomes = JSON.parse(stdout.split('\n')[0]) as Record<string, number>;
  const names = new Set(Object.keys(outcomes).map((outcome) => outcome.split(' ')[0]));
  expect(names.size).toBeGreaterThan(20);
  for (const name of names) {
    const [done, refused] = [outcomes[`${name} done`] ?? 0, outcomes[`${name} ERR_ARGUMENT`] ?? 0];
    expect({ name, reached: done > 5 && refused > 5 }).toEqual({ name, reached: true });
  }
});
