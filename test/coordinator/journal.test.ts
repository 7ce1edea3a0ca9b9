import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Journal, readJournal } from '../../lib/coordinator/journal.js';

test('a journal is only appended to, and survives half a line', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'journal-'));
  const path = join(folder, 'journal.jsonl');
  const entries = async () => {
    const events: string[] = [];
    for await (const { event } of readJournal(path)) events.push(event);
    return events;
  };
  expect(await entries()).toEqual([]);
  const first = new Journal(path);
  first.write('one', { block: 1 });
  first.writeAll([
    { event: 'two', facts: {} },
    { event: 'three', facts: { text: 'ä\n' } },
  ]);
  first.close();
  const before = readFileSync(path, 'utf8');
  appendFileSync(path, '{"time":"2026","event":"cut');
  const second = new Journal(path);
  second.write('four');
  second.close();
  expect(await entries()).toEqual(['one', 'two', 'three', 'four']);
  expect(readFileSync(path, 'utf8').startsWith(before)).toBe(true);
  rmSync(folder, { recursive: true });
});
