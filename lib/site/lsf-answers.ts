import type { Partition } from './site-facts.js';

/** `NAME = value` of `bparams -a`, e.g. '    MAX_JOB_ARRAY_SIZE = 1000'. */
export function parseParameters(text: string): Map<string, string> {
  const rows = text.split('\n').flatMap((line) => {
    const match = /^\s*([A-Z][A-Z0-9_]+)\s*=\s*(\S.*)$/.exec(line);
    return match === null ? [] : [[match[1], match[2].trim()] as const];
  });
  return new Map(rows);
}

/** The answer of `bqueues -w`; undefined when it is none. */
export function parseQueues(text: string): Partition[] | undefined {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('QUEUE_NAME'));
  const rows = lines.map((line) => line.trim().split(/\s+/));
  const plain = (cells: string[]) => cells.length >= 10 && /^\d+$/.test(cells[1]) && /^(Open|Closed):/.test(cells[2]);
  if (!rows.every(plain)) return undefined;
  return rows.map((cells) => ({
    name: cells[0],
    isDefault: false,
    isUp: cells[2] === 'Open:Active',
    features: [],
    gres: [],
  }));
}
