import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { messageOf } from '../errors.js';

/** Bytes of a worker's log that are looked at for its last lines. */
const TAIL = 4096;

/** The last lines of an open log, without what was there before `begin`. */
export function readTail(log: number, begin = 0, most = TAIL): string {
  try {
    const { size } = fstatSync(log);
    const from = Math.max(begin, size - most);
    const bytes = Buffer.alloc(Math.max(0, size - from));
    const count = bytes.byteLength === 0 ? 0 : readSync(log, bytes, 0, bytes.byteLength, from);
    return bytes.toString('utf8', 0, count).trimEnd();
  } catch (error) {
    return `(its log cannot be read: ${messageOf(error)})`;
  }
}

/** The last lines of a log by its path; empty when there is none. */
export function readTailOf(path: string): string {
  let log: number;
  try {
    log = openSync(path, 'r');
  } catch {
    return '';
  }
  try {
    return readTail(log);
  } finally {
    closeSync(log);
  }
}
