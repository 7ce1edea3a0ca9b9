import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { loadAddon } from '../../lib/native/addon.js';

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
  for (const name of Object.keys(loadAddon())) {
    expect(outcomes[`${name} done`]).toBeGreaterThan(5);
    expect(outcomes[`${name} ERR_ARGUMENT`]).toBeGreaterThan(5);
  }
});
