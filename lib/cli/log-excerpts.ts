import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { RunFolder } from '../coordinator/run-folder.js';
import { firstLine } from './format.js';
import type { AttemptEnd } from './live-explain-text.js';

const HEAD = /^--- attempt (\d+) (failed|lost), worker (\d+)\.\S+, /;
/** Bytes of a log that are looked at, from its end. */
const LOOKED_AT = 1 << 20;

/** How attempts at a block ended in one run of the coordinator, from the block's log. */
export function attemptEnds(folder: RunFolder, task: string, block: number, epoch: number): AttemptEnd[] {
  const lines = readEnd(folder.blockLog(task, block)).split('\n');
  return lines.flatMap((line, i) => {
    const [, attempt, outcome, run] = HEAD.exec(line) ?? [];
    if (Number(run) !== epoch) return [];
    return [
      { attempt: Number(attempt), outcome: outcome as 'failed' | 'lost', reason: firstLine(lines[i + 1] ?? '', 200) },
    ];
  });
}

/** The last lines that a worker wrote. */
export function lastLines(folder: RunFolder, worker: string, count: number): string[] {
  const text = readEnd(folder.workerLog(worker)).trimEnd();
  return text === ''
    ? []
    : text
        .split('\n')
        .slice(-count)
        .map((line) => firstLine(line, 200));
}

function readEnd(path: string): string {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    // of many blocks and workers there is none
    return '';
  }
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, LOOKED_AT));
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.byteLength, size - bytes.byteLength));
  } finally {
    closeSync(file);
  }
}
