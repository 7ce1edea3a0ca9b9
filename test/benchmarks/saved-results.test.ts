import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { growthPlot, ratioPlot, seriesOf } from '../../benchmarks/plots.js';
import { writeReport } from '../../benchmarks/report.js';
import type { Row } from '../../benchmarks/row.js';
import {
  type Measurement,
  mergeResults,
  readResults,
  type SavedResults,
  writeResults,
} from '../../benchmarks/saved-results.js';
import { LogScale, tickText } from '../../benchmarks/svg.js';

const folder = mkdtempSync(join(tmpdir(), 'blockwright-saved-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const rowOf = (more: Partial<Row> = {}): Row => ({
  bench: 'edges',
  case: '64^3 near',
  unit: 'M voxels/s',
  ours: 20,
  reference: 2,
  ratio: 10,
  cpuSeconds: 0.5,
  referenceCpuSeconds: 4,
  cpuRatio: 8,
  peakBytes: 64 ** 3 * 4,
  referencePeakBytes: 64 ** 3 * 40,
  equal: true,
  referenceName: 'volara',
  environment: 'volara',
  items: 64 ** 3,
  repetitions: 3,
  seconds: [1, 1, 1],
  referenceSeconds: [10, 10, 10],
  ...more,
});
const alone = { reference: null, ratio: null, referenceCpuSeconds: null, cpuRatio: null, referencePeakBytes: null };

const measurementOf = (begun: string, more: Partial<Measurement> = {}): Measurement => ({
  begun,
  ended: begun,
  machine: { cpu: 'Fast One', cores: 2, memoryBytes: 8 * 2 ** 30, system: 'Linux 6', node: 'v20.19.0' },
  references: { volara: { python: '3.11.2', volara: '1.0.5' } },
  load: { begin: 0.1, end: 1.2 },
  otherCores: 0.02,
  commit: 'abc',
  repetitions: 3,
  threads: 1,
  notes: [],
  ...more,
});
const [FIRST, SECOND] = ['2026-01-02T03:04:05.000Z', '2026-02-03T04:05:06.000Z'];

describe('merging', () => {
  const first = mergeResults(undefined, 'what', measurementOf(FIRST), [
    rowOf(),
    rowOf({ referenceName: 'numpy' }),
    rowOf({ case: '128^3 near', items: 128 ** 3 }),
  ]);
  const brief = ({ rows }: SavedResults) => rows.map((row) => [row.case, row.referenceName, row.ours, row.measurement]);

  test('a row takes the place of that of its case and reference; others stay as they are', () => {
    const merged = mergeResults(first, 'what else', measurementOf(SECOND), [
      rowOf({ referenceName: 'numpy', ours: 30 }),
      rowOf({ case: '256^3 near', ours: 40 }),
    ]);
    expect(brief(merged)).toEqual([
      ['64^3 near', 'volara', 20, FIRST],
      ['64^3 near', 'numpy', 30, SECOND],
      ['128^3 near', 'volara', 20, FIRST],
      ['256^3 near', 'volara', 40, SECOND],
    ]);
    expect(merged.measurements.map(({ begun }) => begun)).toEqual([FIRST, SECOND]);
    expect([merged.bench, merged.description]).toEqual(['edges', 'what else']);
  });

  test('a measurement goes with its last row', () => {
    const merged = mergeResults(first, 'what', measurementOf(SECOND), first.rows);
    expect(merged.measurements.map(({ begun }) => begun)).toEqual([SECOND]);
  });

  test('one measurement may save its rows again and again', () => {
    const later = measurementOf(SECOND, { otherCores: 1 });
    const once = mergeResults(first, 'what', measurementOf(SECOND), [rowOf()]);
    const twice = mergeResults(once, 'what', later, [rowOf(), rowOf({ referenceName: 'numpy' })]);
    expect(twice.measurements).toEqual([measurementOf(FIRST), later]);
  });

  test('a row that was measured alone replaces none with a reference, and tells no place', () => {
    const row = rowOf({ ...alone, ours: 99, missing: 'no Python in /home/me' });
    const merged = mergeResults(first, 'what', measurementOf(SECOND), [row, { ...row, case: 'new' }]);
    expect(brief(merged)).toEqual([...brief(first), ['new', 'volara', 99, SECOND]]);
    expect(JSON.stringify(merged)).not.toContain('/home/me');
  });

  test('what is written is read again, a line a row', () => {
    writeResults(join(folder, 'written'), first);
    expect(readResults(join(folder, 'written'), 'edges')).toEqual(first);
    const lines = readFileSync(join(folder, 'written', 'edges.json'), 'utf8').split('\n');
    expect(lines.filter((line) => line.includes('"case"'))).toHaveLength(3);
    expect(readResults(join(folder, 'written'), 'other')).toBeUndefined();
  });
});

describe('plots', () => {
  /** Attributes of the elements of one kind. */
  const elements = (svg: string, name: string, kind: string) =>
    [...svg.matchAll(new RegExp(`<${name} ([^>]*)class="${kind}"`, 'g'))].map(([, attributes]) =>
      Object.fromEntries([...attributes.matchAll(/([a-z0-9]+)="([^"]*)"/g)].map(([, key, value]) => [key, value])),
    );

  test('bars begin at 1 and are as long as the logarithm of the ratio, to its side', () => {
    const { svg, alt } = ratioPlot('edges', [
      rowOf({ ratio: 4, cpuRatio: 16 }),
      rowOf({ case: 'slow', ratio: 0.5, cpuRatio: null }),
      rowOf({ case: 'alone', ...alone }),
    ])!;
    const [, fast, slow] = elements(svg, 'rect', 'ours').map(({ x, width }) => [Number(x), Number(width)]);
    const [, cpu] = elements(svg, 'rect', 'cpu').map(({ x, width }) => [Number(x), Number(width)]);
    expect(cpu[0]).toBe(fast[0]);
    expect(cpu[1]).toBeCloseTo(2 * fast[1], 0);
    expect(slow[0] + slow[1]).toBeCloseTo(fast[0], 0);
    expect(slow[1]).toBeCloseTo(fast[1] / 2, 0);
    expect(alt).toContain('64^3 near beside volara 4.00x; slow beside volara 0.500x.');
    expect(alt).not.toContain('alone');
  });

  test('names cannot end an element, and both colour schemes are served', () => {
    const { svg } = ratioPlot('a<b', [rowOf({ case: 'x < "y" & z' })])!;
    expect(svg).toContain('x &lt; &quot;y&quot; &amp; z');
    expect(svg).toContain('prefers-color-scheme: dark');
    expect(svg.match(/<text/g)?.length).toBe(svg.match(/<\/text>/g)?.length);
  });

  test('there is none where there is nothing to show', () => {
    expect(ratioPlot('edges', [rowOf(alone)])).toBeUndefined();
    expect(growthPlot('edges', [rowOf(), rowOf({ case: '64^3 far' })])).toBeUndefined();
  });

  test('cases that differ in size alone are a series, wherever the size stands', () => {
    const names = [
      '64^3 near',
      '128^3 near',
      'labels 256^3 zstd',
      'labels 512^3 zstd',
      '1e3 blocks, 2',
      '1e4 blocks, 2',
      '9^3 x',
    ];
    const rows = names.map((name, index) => rowOf({ case: name, items: index + 1 }));
    expect(seriesOf(rows).map(({ name, rows: members }) => [name, members.map((row) => row.case)])).toEqual([
      ['near', names.slice(0, 2)],
      ['labels zstd', names.slice(2, 4)],
      ['blocks, 2', names.slice(4, 6)],
    ]);
  });

  test('each reference has series of its own, and is one whatever it was given', () => {
    const rows = ['numpy', 'daisy 2 (1e5 blocks)', 'daisy 2'].flatMap((referenceName, index) =>
      [1, 2].map((size) => rowOf({ case: `${size}e3 x`, referenceName, items: size + 2 * index })),
    );
    expect(seriesOf(rows).map(({ reference, rows: members }) => [reference, members.length])).toEqual([
      ['numpy', 2],
      ['daisy 2', 4],
    ]);
  });

  test('a panel a series, a point a size', () => {
    const rows = ['near', 'far'].flatMap((kind) =>
      [64, 128, 192].map((size) => rowOf({ case: `${size}^3 ${kind}`, items: size ** 3, ours: size })),
    );
    const { svg, alt } = growthPlot('edges', rows)!;
    expect(elements(svg, 'circle', 'ours')).toHaveLength(6);
    expect(elements(svg, 'circle', 'other')).toHaveLength(6);
    const rising = elements(svg, 'circle', 'ours').slice(0, 3);
    expect(Number(rising[0].cx)).toBeLessThan(Number(rising[2].cx));
    expect(Number(rising[0].cy)).toBeGreaterThan(Number(rising[2].cy));
    expect(alt).toContain('near, beside volara: ours from 64.0 to 192 M voxels/s; far, ');
  });

  test.each([
    [
      [1, 2],
      [1, 1.5, 2],
    ],
    [
      [1, 9],
      [1, 3, 10],
    ],
    [
      [0.4, 30],
      [1, 3, 10, 30],
    ],
    [
      [1, 2e4],
      [1, 10, 100, 1000, 10_000],
    ],
  ])('ticks of an axis over %j', (values, ticks) => {
    expect(new LogScale(values, 0, 100).ticks()).toEqual(ticks);
  });

  test('numbers at ticks', () => {
    expect([0.5, 20, 3000, 2_097_152, 1e9].map(tickText)).toEqual(['0.5', '20', '3k', '2.1M', '1G']);
  });
});

describe('the report', () => {
  const results = join(folder, 'report', 'results');
  const read = () => readFileSync(join(folder, 'report', 'RESULTS.md'), 'utf8');
  const other = { ...measurementOf(SECOND).machine, cpu: 'Slow One' };
  const first = mergeResults(undefined, 'what it is', measurementOf(FIRST), [
    rowOf(),
    rowOf({ case: '128^3 a|b', items: 128 ** 3, equal: false, extra: { rounds: 3 } }),
  ]);

  beforeEach(() => {
    mkdirSync(results, { recursive: true });
    writeResults(results, first);
    writeResults(results, { ...first, bench: 'aaa' });
    writeReport(results, ['edges', 'aaa']);
  });
  afterEach(() => rmSync(join(folder, 'report'), { recursive: true }));

  test('has a section a benchmark in their order, with plots that are there and a row a case', () => {
    const page = read();
    expect([...page.matchAll(/^## (.*)$/gm)].map(([, name]) => name)).toEqual(['edges', 'aaa']);
    const images = [...page.matchAll(/!\[([^\]]+)\]\(([^)]+)\)/g)];
    expect(images.map(([, , path]) => path)).toContain('results/edges-ratio.svg');
    for (const [, alt, path] of images) {
      expect(alt.length).toBeGreaterThan(30);
      expect(existsSync(join(folder, 'report', path))).toBe(true);
    }
    expect(page).toContain(
      '| 64^3 near | volara | M voxels/s | 20.0 | 2.00 | 10.0x | 0.500 | 4.00 | 8.00x | 4.00 | 40.0 | yes | [1] |',
    );
    expect(page).toContain('| [edges](#edges) | 2 | 10.0x | 10.0x | 10.0x | 1 of 2 |');
    expect(page).toContain('| 128^3 a\\|b | volara |');
    expect(page).toContain('| **no** | [1] |');
    expect(page).toContain('* 128^3 a|b: rounds 3.00');
    expect(page).toContain(
      '* [1] 2026-01-02 03:04 UTC; Fast One, 2 cores, 8 GiB, Linux 6, node v20.19.0; python 3.11.2, volara 1.0.5; load 0.1 at the beginning, 1.2 at the end; other work kept 0.02 cores busy; medians of 3 runs, 1 thread; commit abc',
    );
    expect(page).not.toContain('Rows are from');
  });

  test('tells of rows from another machine, and leaves no plot behind', () => {
    const merged = mergeResults(first, 'what', measurementOf(SECOND, { machine: other }), [
      rowOf({ ...rowOf(), ours: 1 }),
    ]);
    writeResults(results, merged);
    rmSync(join(results, 'aaa.json'));
    writeReport(results, ['edges']);
    expect(read()).toContain('Rows are from 2 machines: their rates do not compare.');
    expect(readdirSync(results).filter((name) => name.startsWith('aaa'))).toEqual([]);
  });

  test('of nothing says so', () => {
    writeReport(join(folder, 'empty', 'results'), []);
    expect(readFileSync(join(folder, 'empty', 'RESULTS.md'), 'utf8')).toContain('Nothing is saved yet.');
  });
});

describe('npm run bench -- --save', () => {
  const main = join(import.meta.dirname, '..', '..', 'benchmarks', 'main.js');
  const bench = (...args: string[]) => {
    try {
      return execFileSync(process.execPath, [main, ...args, '--folder', folder], { encoding: 'utf8', stdio: 'pipe' });
    } catch (error) {
      return String((error as { stderr: unknown }).stderr);
    }
  };

  test('saves rows with their circumstances and writes the report', () => {
    const results = join(folder, 'saved', 'results');
    bench('relabel', '--smoke', '--no-reference', '--only', 'copy', '--save', '--results', results);
    const saved = readResults(results, 'relabel')!;
    expect(saved.rows.length).toBeGreaterThan(0);
    const [measurement] = saved.measurements;
    expect(measurement.machine).toMatchObject({ cores: expect.any(Number), node: process.version });
    expect(measurement.notes).toContain('tiny inputs, which say nothing about speed');
    if (process.platform === 'linux') expect(measurement.otherCores).toBeGreaterThanOrEqual(0);
    for (const row of saved.rows) expect(row.measurement).toBe(measurement.begun);
    expect(readFileSync(join(folder, 'saved', 'RESULTS.md'), 'utf8')).toContain('## relabel');
  }, 60_000);

  test('goes on where a benchmark fails', () => {
    const python = join(folder, 'broken', 'volara', 'bin', 'python');
    mkdirSync(join(python, '..'), { recursive: true });
    writeFileSync(python, '#!/bin/sh\nexit 7\n', { mode: 0o755 });
    const results = join(folder, 'broken', 'results');
    const args = [main, 'relabel', 'scheduler', '--smoke', '--save', '--results', results, '--folder', folder];
    const env = { ...process.env, BLOCKWRIGHT_REFERENCE: join(folder, 'broken') };
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
    expect(status).toBe(1);
    expect(stderr).toContain('bench: relabel failed:');
    expect(readResults(results, 'relabel')).toBeUndefined();
    expect(readResults(results, 'scheduler')?.rows.length).toBeGreaterThan(0);
  }, 60_000);

  test('keeps tiny inputs out of the saved rows, and says what --report does not go with', () => {
    expect(bench('relabel', '--smoke', '--save')).toContain('--save: tiny inputs say nothing about speed');
    expect(bench('relabel', '--report')).toContain('--report measures nothing');
  });
});
