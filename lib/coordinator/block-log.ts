import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf } from '../errors.js';

/** What a block's log is about. */
export interface LoggedAttempt {
  readonly attempt: number;
  readonly workerId: string;
}

/** Appends a headed paragraph to a block's log, which is made when there is something to say. Never throws. */
export function appendToBlockLog(path: string, what: string, { attempt, workerId }: LoggedAttempt, text: string): void {
  appendText(path, `${headLine(what, attempt, workerId)}${text}${text.endsWith('\n') ? '' : '\n'}`);
}

/** The log of one attempt, written by its worker: a head line before the first line, each line on disk when `log` returns. */
export class AttemptLog {
  private begun = false;

  constructor(
    private readonly path: string,
    private readonly attempt: LoggedAttempt,
  ) {}

  log(line: string): void {
    const head = this.begun ? '' : headLine('begins to log', this.attempt.attempt, this.attempt.workerId);
    this.begun = true;
    appendText(this.path, `${head}${line}\n`);
  }
}

function headLine(what: string, attempt: number, workerId: string): string {
  return `--- attempt ${attempt} ${what}, worker ${workerId}, ${new Date().toISOString()}\n`;
}

function appendText(path: string, text: string): void {
  try {
    try {
      appendFileSync(path, text);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      mkdirSync(dirname(path), { recursive: true });
      appendFileSync(path, text);
    }
  } catch (error) {
    // a log that cannot be written must not fail a block; the output of the process is the place left
    process.stderr.write(`log ${path}: ${String(error)}\n${text}`);
  }
}
