import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Machine } from './machine.js';
import type { Row } from './row.js';

/** The circumstances of rows that one command measured. */
export interface Measurement {
  /** When it began, ISO 8601: rows name it by this. */
  readonly begun: string;
  readonly ended: string;
  readonly machine: Machine;
  /** Versions of the references, by environment. */
  readonly references: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Load averages of the last minute, our own work included. */
  readonly load: { readonly begin: number; readonly end: number };
  /** How many cores other work kept busy meanwhile; null where the system does not tell. */
  readonly otherCores: number | null;
  readonly commit: string | null;
  readonly repetitions: number;
  readonly threads: number;
  /** What makes the figures less trustworthy. */
  readonly notes: readonly string[];
}

export type SavedRow = Row & { readonly measurement: string };

/** What benchmarks/results/NAME.json holds. */
export interface SavedResults {
  readonly bench: string;
  readonly description: string;
  readonly measurements: readonly Measurement[];
  readonly rows: readonly SavedRow[];
}

const keyOf = (row: Row) => JSON.stringify([row.bench, row.case, row.referenceName]);

/**
 * Puts rows into what is saved: each takes the place of the row of its case and reference, save that a row which was
 * measured alone does not replace one that has a reference. Other rows stay; measurements without rows go.
 */
export function mergeResults(
  old: SavedResults | undefined,
  description: string,
  measurement: Measurement,
  rows: readonly Row[],
): SavedResults {
  const merged = new Map((old?.rows ?? []).map((row) => [keyOf(row), row]));
  for (const row of rows) {
    const before = merged.get(keyOf(row));
    if (row.reference === null && before !== undefined && before.reference !== null) continue;
    // why it was missing names a place of one machine
    const alone = row.missing === undefined ? {} : { missing: 'measured without its reference' };
    merged.set(keyOf(row), { ...row, ...alone, measurement: measurement.begun });
  }
  const kept = [...merged.values()];
  const others = (old?.measurements ?? []).filter(({ begun }) => begun !== measurement.begun);
  return {
    bench: old?.bench ?? rows[0].bench,
    description,
    measurements: [...others, measurement].filter(({ begun }) => kept.some((row) => row.measurement === begun)),
    rows: kept,
  };
}

export function readResults(folder: string, bench: string): SavedResults | undefined {
  const path = join(folder, `${bench}.json`);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as SavedResults) : undefined;
}

/** All that is saved, by name. */
export function readAllResults(folder: string): SavedResults[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return names.sort().map((name) => readResults(folder, name.slice(0, -'.json'.length)) as SavedResults);
}

/** Writes a line a row, so that a change is a line, too. */
export function writeResults(folder: string, results: SavedResults): void {
  mkdirSync(folder, { recursive: true });
  const lines = (values: readonly unknown[]) => values.map((value) => `\n    ${JSON.stringify(value)}`).join(',');
  const text = `{
  "bench": ${JSON.stringify(results.bench)},
  "description": ${JSON.stringify(results.description)},
  "measurements": [${lines(results.measurements)}
  ],
  "rows": [${lines(results.rows)}
  ]
}
`;
  const path = join(folder, `${results.bench}.json`);
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}
