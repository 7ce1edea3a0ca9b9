import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { type EnvironmentName, referencePython } from '../../benchmarks/reference.js';
import type { Row } from '../../benchmarks/row.js';

// Benchmarks that nothing runs rot. Each runs here on tiny inputs; where the Python environments have been made (see
// benchmarks/README.md) beside its reference, and then the results must be the same.
const main = join(import.meta.dirname, '..', '..', 'benchmarks', 'main.js');
const folder = mkdtempSync(join(tmpdir(), 'blockwright-smoke-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function rowsOf(name: string, ...options: string[]): Row[] {
  const args = [main, name, '--smoke', '--json', '--folder', folder, ...options];
  const output = execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);
}

/** References with an environment of their own in a benchmark that otherwise has another. */
const otherEnvironments: Record<string, EnvironmentName> = {
  'bioimage_cpp.segmentation.mutex_watershed': 'bioimage',
};

const expected = {
  'mutex-watershed': { environment: 'volara', compared: true },
  'graph-mutex-watershed': { environment: 'volara', compared: true },
  'graph-lut': { environment: 'volara', compared: true },
  'edge-scores': { environment: 'volara', compared: true },
  'fragment-statistics': { environment: 'volara', compared: true },
  relabel: { environment: 'volara', compared: true },
  'gaussian-smoothing': { environment: 'volara', compared: true },
  'distance-transform': { environment: 'volara', compared: true },
  argmax: { environment: 'volara', compared: true },
  threshold: { environment: 'volara', compared: true },
  evaluation: { environment: 'volara', compared: true },
  'connected-components': { environment: 'volara', compared: true },
  scheduler: { environment: 'daisy2', compared: false },
  sockets: { environment: 'daisy2', compared: false },
  resume: { environment: 'daisy2', compared: false },
  pipeline: { environment: 'volara', compared: false },
  'zarr-read': { environment: 'storage', compared: true },
  'zarr-write': { environment: 'storage', compared: true },
  'zarr-unaligned': { environment: 'storage', compared: true },
  copy: { environment: 'storage', compared: true },
  'components-blocks': { environment: 'storage', compared: true },
} as const;

describe.each(Object.entries(expected))('%s --smoke', (name, { environment, compared }) => {
  test('prints complete rows, and no result differs from its reference', () => {
    const rows = rowsOf(name);
    expect(rows.length).toBeGreaterThan(0);
    const isThere = (name: EnvironmentName) => referencePython(name) !== undefined;
    for (const row of rows) {
      const there = isThere(otherEnvironments[row.referenceName] ?? environment);
      expect(row).toMatchObject({ bench: name, case: expect.any(String), unit: expect.any(String) });
      expect(row.ours).toBeGreaterThan(0);
      expect(row.cpuSeconds).toBeGreaterThanOrEqual(0);
      expect(row.items).toBeGreaterThan(0);
      expect(row.seconds).toHaveLength(row.repetitions);
      if (process.platform === 'linux') expect(row.peakBytes).toBeGreaterThanOrEqual(0);
      expect(row.equal).not.toBe(false);
      if (there) {
        expect(row.missing).toBeUndefined();
        expect(row.reference).toBeGreaterThan(0);
        expect(row.ratio).toBeCloseTo(row.ours / (row.reference as number));
        expect(row.referenceCpuSeconds).toBeGreaterThanOrEqual(0);
        expect(row.equal === null).toBe(row.notCompared !== undefined);
      } else {
        expect(row).toMatchObject({ reference: null, ratio: null, equal: null });
        expect(row.missing).toContain('make-environment.sh');
      }
    }
    if (isThere(environment) && compared) expect(rows.map((row) => row.equal)).toContain(true);
  }, 300_000); // importing and compiling the references takes many seconds
});

test('a row without its reference says so and why', () => {
  for (const row of rowsOf('relabel', '--no-reference', '--only', 'copy')) {
    expect(row).toMatchObject({
      reference: null,
      ratio: null,
      referenceCpuSeconds: null,
      equal: null,
      missing: 'not asked for',
    });
  }
});

test('an unknown name, size or option is refused with what there is', () => {
  const fail = (...args: string[]) => {
    try {
      execFileSync(process.execPath, [main, ...args], { encoding: 'utf8', stdio: 'pipe' });
      return 'succeeded';
    } catch (error) {
      return String((error as { stderr: unknown }).stderr);
    }
  };
  expect(fail('mutex')).toContain("there is no benchmark 'mutex'; there are mutex-watershed,");
  expect(fail('relabel', '--size', '7')).toContain("no chosen benchmark has a size '7'; there are 128, 256, 512");
  expect(fail('relabel', '--repetitions', '0')).toContain('--repetitions: expected a whole number from 1, found 0');
});

test('nothing is left behind', () => {
  expect(readdirSync(folder)).toEqual([]);
});

test('cancellation measures every function', () => {
  const program = join(main, '..', 'cancellation.js');
  const options = ['--size', '4096', '--threads', '2', '--stops', '2', '--json'];
  const lines = execFileSync(process.execPath, [program, ...options], { encoding: 'utf8' })
    .trimEnd()
    .split('\n');
  const found = lines.map((line) => JSON.parse(line) as { native: string; longest: number });
  expect(new Set(found.map(({ native }) => native)).size).toBeGreaterThan(20);
  for (const { longest } of found) expect(longest).toBeGreaterThanOrEqual(0);
});
