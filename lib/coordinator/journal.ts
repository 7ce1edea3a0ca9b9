import { closeSync, createReadStream, existsSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** One line of a journal. */
export interface JournalEntry {
  /** ISO 8601. */
  readonly time: string;
  readonly event: string;
  readonly [key: string]: unknown;
}

/**
 * What happened in a run folder, in the order in which it became true: one JSON object a line, only ever appended. A block's
 * `done` is written after its mark in the done record is on disk.
 */
export class Journal {
  private readonly file: number;

  constructor(path: string) {
    this.file = openSync(path, 'a+');
    // a coordinator that was killed may have left half a line
    const { size } = fstatSync(this.file);
    const last = Buffer.alloc(1);
    if (size > 0 && readSync(this.file, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a) writeSync(this.file, '\n');
  }

  write(event: string, facts: object = {}): void {
    this.writeAll([{ event, facts }]);
  }

  /** Several lines in one write. */
  writeAll(entries: readonly { readonly event: string; readonly facts: object }[]): void {
    const time = new Date().toISOString();
    let text = '';
    for (const { event, facts } of entries) text += `${JSON.stringify({ time, event, ...facts })}\n`;
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.byteLength; ) at += writeSync(this.file, bytes, at);
  }

  close(): void {
    closeSync(this.file);
  }
}

/** The entries of a journal, oldest first; what is no whole line is left out. None when there is no journal. */
export async function* readJournal(path: string): AsyncGenerator<JournalEntry> {
  if (!existsSync(path)) return;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    const entry = parseEntry(line);
    if (entry !== undefined) yield entry;
  }
}

function parseEntry(line: string): JournalEntry | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'object' && entry !== null && 'event' in entry ? (entry as JournalEntry) : undefined;
  } catch {
    return undefined;
  }
}
