import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { syncFolder } from '../coordinator/durable-file.js';

/** One line: a submission is about to be made, has these jobs, or has none left. */
interface Line {
  readonly time: string;
  readonly name: string;
  readonly event: 'submitting' | 'submitted' | 'over';
  /** Of all its workers, or jobs. */
  readonly workers?: readonly string[];
  readonly jobs?: readonly string[];
}

/**
 * Which jobs a run has or may have in a batch system: `jobs-<system>.jsonl` of its folder. A name is there before anything is submitted
 * by it, on disk, so that whoever runs next finds what a coordinator that was killed left.
 */
export class JobRecord {
  private readonly file: number;

  private constructor(
    path: string,
    /** Names of submissions that may have jobs, from earlier runs of the coordinator. */
    readonly left: readonly string[],
  ) {
    const isNew = !existsSync(path);
    this.file = openSync(path, 'a', 0o600);
    if (isNew) syncFolder(dirname(path));
    // a coordinator that was killed may have left half a line
    else writeSync(this.file, '\n');
  }

  /** @param system whose jobs they are; others cannot be asked for them */
  static open(runDirectory: string, system: string): JobRecord {
    const path = join(runDirectory, `jobs-${system}.jsonl`);
    return new JobRecord(path, existsSync(path) ? namesLeft(readFileSync(path, 'utf8')) : []);
  }

  submitting(name: string, workers: readonly string[]): void {
    this.write({ event: 'submitting', name, workers });
  }

  submitted(name: string, jobs: readonly string[]): void {
    this.write({ event: 'submitted', name, jobs });
  }

  over(name: string): void {
    this.write({ event: 'over', name });
  }

  close(): void {
    closeSync(this.file);
  }

  private write(line: Omit<Line, 'time'>): void {
    const bytes = Buffer.from(`${JSON.stringify({ time: new Date().toISOString(), ...line })}\n`);
    for (let at = 0; at < bytes.byteLength; ) at += writeSync(this.file, bytes, at);
    fsyncSync(this.file);
  }
}

function namesLeft(text: string): string[] {
  const left = new Set<string>();
  for (const line of text.split('\n')) {
    let parsed: Partial<Line> | null;
    try {
      parsed = JSON.parse(line) as Partial<Line> | null;
    } catch {
      continue;
    }
    if (typeof parsed?.name !== 'string') continue;
    if (parsed.event === 'over') left.delete(parsed.name);
    else left.add(parsed.name);
  }
  return [...left];
}
