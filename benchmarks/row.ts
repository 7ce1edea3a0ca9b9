/** One case of a benchmark, measured beside its reference. Rates are items (see `unit`) a second: higher is better. */
export interface Row {
  readonly bench: string;
  readonly case: string;
  /** Of `ours` and `reference`, e.g. 'M voxels/s'. */
  readonly unit: string;
  /** Median rate of ours. */
  readonly ours: number;
  /** Median rate of the reference; null when it was not run, and then `missing` says why. */
  readonly reference: number | null;
  /** ours / reference: how many times better ours is. */
  readonly ratio: number | null;
  /** Median user + system seconds of one run, all threads and ended child processes. */
  readonly cpuSeconds: number;
  readonly referenceCpuSeconds: number | null;
  /** referenceCpuSeconds / cpuSeconds: less troubled by other work on the machine than `ratio`. */
  readonly cpuRatio: number | null;
  /** See benchmarks/README.md, "Memory". null where the system does not tell. */
  readonly peakBytes: number | null;
  readonly referencePeakBytes: number | null;
  /** Whether both results are the same; null when nothing was compared, and then `notCompared` says why. */
  readonly equal: boolean | null;
  /** What the reference is, e.g. 'mwatershed.agglom'. */
  readonly referenceName: string;
  /** The Python environment of the reference. */
  readonly environment: string;
  /** Items (voxels, edges, blocks) of one run. */
  readonly items: number;
  readonly repetitions: number;
  /** Wall seconds of every run, in order. */
  readonly seconds: readonly number[];
  readonly referenceSeconds: readonly number[];
  /** Why there is no reference, and how to make it. */
  readonly missing?: string;
  /** Why `equal` is null. */
  readonly notCompared?: string;
  /** What else was measured, by name. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

const COLUMNS = [
  'case',
  'beside',
  'unit',
  'ours',
  'reference',
  'ratio',
  'cpu s',
  'ref. cpu s',
  'cpu ratio',
  'bytes/item',
  'ref. bytes/item',
  'equal',
];

export function significant(value: number | null): string {
  if (value === null) return '-';
  return value === 0 || Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

export function times(ratio: number | null): string {
  return ratio === null ? '-' : `${significant(ratio)}x`;
}

function bytesPerItem(bytes: number | null, items: number): string {
  return bytes === null ? '-' : significant(bytes / items);
}

/** The figures of a row, as text; `differs` is said of results that are not equal. */
export function cells(row: Row, differs = 'NO'): string[] {
  return [
    row.case,
    row.referenceName,
    row.unit,
    significant(row.ours),
    significant(row.reference),
    times(row.ratio),
    significant(row.cpuSeconds),
    significant(row.referenceCpuSeconds),
    times(row.cpuRatio),
    bytesPerItem(row.peakBytes, row.items),
    bytesPerItem(row.referencePeakBytes, row.items),
    row.equal === null ? '-' : row.equal ? 'yes' : differs,
  ];
}

/** The rows of one benchmark as text: a table, then the notes that do not fit in it. */
export function formatTable(rows: readonly Row[]): string {
  const lines = [COLUMNS, ...rows.map((row) => cells(row))];
  const widths = COLUMNS.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const table = lines.map((line) =>
    line.map((cell, column) => (column < 3 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join('  '),
  );
  table.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '));
  const notes = new Set<string>();
  for (const row of rows) {
    if (row.missing !== undefined) notes.add(`no reference: ${row.missing}`);
    if (row.notCompared !== undefined) notes.add(`${row.case}: not compared, ${row.notCompared}`);
    if (row.extra !== undefined) notes.add(`${row.case}: ${formatExtra(row.extra)}`);
  }
  return [...table, ...notes].join('\n');
}

export function formatExtra(extra: Readonly<Record<string, unknown>>): string {
  return Object.entries(extra)
    .map(([name, value]) => `${name} ${typeof value === 'number' ? significant(value) : JSON.stringify(value)}`)
    .join(', ');
}
