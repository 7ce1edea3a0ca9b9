import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchmarkOptions } from './benchmark.js';
import { type EnvironmentName, howToMake, referencePython, referenceScript } from './reference.js';
import type { Row } from './row.js';
import type { Cost } from './side.js';
import { SideProcess } from './side-process.js';

export interface Comparison {
  readonly bench: string;
  readonly case: string;
  /** Rates are `scale` times items a second: unit 'M voxels/s' has scale 1e-6. */
  readonly unit: string;
  readonly scale: number;
  readonly items: number;
  /** For the benchmark module's `ours`. */
  readonly settings: object;
  readonly reference: {
    readonly name: string;
    readonly environment: EnvironmentName;
    /** File of benchmarks/reference, without .py. */
    readonly script: string;
    readonly settings: object;
    /** Runs of the reference, when fewer are enough (it is slow). */
    readonly repetitions?: number;
    /** What one of its runs has, where it is given less. @default as many as ours */
    readonly items?: number;
  };
  /** One run of each side that is not timed comes first: after a pause the first one pays for what the system took back. */
  readonly warmUp?: boolean;
  /** Memory: 'growth' of the process over its loaded input (default), or the whole 'tree' of processes. */
  readonly memory?: 'growth' | 'tree';
  /** Compares what both sides wrote; a reason where there is nothing to compare. */
  readonly equal: ((ours: string, reference: string) => boolean | Promise<boolean>) | string;
  /** Looks at the outcome of each run while it is there; throws when it is not right. */
  readonly inspect?: (side: 'ours' | 'reference', cost: Cost) => void | Promise<void>;
  /** Further figures of the row. */
  readonly extra?: () => Record<string, unknown>;
}

/** Whether a case is among those that were asked for with --only. */
export function isChosen(options: BenchmarkOptions, title: string, referenceName: string): boolean {
  return `${title} beside ${referenceName}`.includes(options.only);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The highest of those that are known: the first run has the freshest memory. */
function highest(costs: readonly Cost[]): number | null {
  const known = costs.map((cost) => cost.peakBytes).filter((bytes) => bytes !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/**
 * Measures one case: both sides load the same input, each in a process of its own; then they run in turns; then what they
 * wrote is compared.
 */
export async function compare(comparison: Comparison, options: BenchmarkOptions): Promise<Row> {
  const { reference } = comparison;
  const python = options.reference ? referencePython(reference.environment) : undefined;
  const missing = options.reference ? howToMake(reference.environment) : 'not asked for';
  const folder = mkdtempSync(join(options.folder, 'case-'));
  const memory = comparison.memory === 'tree';
  options.say(`${comparison.bench} ${comparison.case}${python === undefined ? ' alone' : ` beside ${reference.name}`}`);
  const sides: SideProcess[] = [];
  try {
    const us = await SideProcess.start(
      `${comparison.bench} (ours)`,
      process.execPath,
      ['--expose-gc', join(import.meta.dirname, 'ours.js'), comparison.bench, JSON.stringify(comparison.settings)],
      folder,
    );
    sides.push(us);
    let them: SideProcess | undefined;
    if (python !== undefined) {
      const args = [referenceScript(reference.script), JSON.stringify(reference.settings)];
      them = await SideProcess.start(`${comparison.bench} (${reference.name})`, python, args, folder);
      sides.push(them);
    }
    const ours: Cost[] = [];
    const theirs: Cost[] = [];
    const warmUp = comparison.warmUp === true && !options.smoke;
    // its memory counts: it is the freshest
    const first = warmUp ? [await us.run(memory)] : [];
    const theirFirst = warmUp && them !== undefined ? [await them.run(memory)] : [];
    const enough = Math.min(options.repetitions, reference.repetitions ?? options.repetitions);
    for (let repetition = 0; repetition < options.repetitions; repetition++) {
      ours.push(await us.run(memory));
      await comparison.inspect?.('ours', ours[repetition]);
      if (them === undefined || repetition >= enough) continue;
      theirs.push(await them.run(memory));
      await comparison.inspect?.('reference', theirs[repetition]);
    }
    const theirItems = reference.items ?? comparison.items;
    const rate = (costs: readonly Cost[], items = comparison.items) =>
      (items * comparison.scale) / median(costs.map((cost) => cost.seconds));
    const cpu = (costs: readonly Cost[]) => median(costs.map((cost) => cost.cpuSeconds));
    const extra = comparison.extra?.();
    const compared = them === undefined ? missing : await equality(comparison, us, them, folder);
    const ourRate = rate(ours);
    const theirRate = them === undefined ? null : rate(theirs, theirItems);
    const ourCpu = cpu(ours);
    const theirCpu = them === undefined ? null : cpu(theirs);
    return {
      bench: comparison.bench,
      case: comparison.case,
      unit: comparison.unit,
      ours: ourRate,
      reference: theirRate,
      ratio: theirRate === null ? null : ourRate / theirRate,
      cpuSeconds: ourCpu,
      referenceCpuSeconds: theirCpu,
      cpuRatio: theirCpu === null || ourCpu === 0 ? null : theirCpu / theirItems / (ourCpu / comparison.items),
      peakBytes: highest([...first, ...ours]),
      referencePeakBytes: highest([...theirFirst, ...theirs]),
      equal: typeof compared === 'boolean' ? compared : null,
      referenceName: reference.name,
      environment: reference.environment,
      items: comparison.items,
      repetitions: options.repetitions,
      seconds: ours.map((cost) => cost.seconds),
      referenceSeconds: theirs.map((cost) => cost.seconds),
      ...(them === undefined ? { missing } : {}),
      ...(typeof compared === 'string' && them !== undefined ? { notCompared: compared } : {}),
      ...(extra === undefined ? {} : { extra }),
    };
  } finally {
    await Promise.all(sides.map((side) => side.end()));
    rmSync(folder, { recursive: true, force: true });
  }
}

async function equality(
  comparison: Comparison,
  us: SideProcess,
  them: SideProcess,
  folder: string,
): Promise<boolean | string> {
  if (typeof comparison.equal === 'string') return comparison.equal;
  const ours = join(folder, 'ours');
  const theirs = join(folder, 'reference');
  for (const [side, path] of [
    [us, ours],
    [them, theirs],
  ] as const) {
    mkdirSync(path);
    await side.write(path);
  }
  return comparison.equal(ours, theirs);
}
