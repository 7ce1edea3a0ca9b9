import { expect, test } from '@jest/globals';
import {
  alignColumns,
  firstLine,
  formatBytes,
  formatCount,
  formatDuration,
  formatRate,
  plural,
} from '../../lib/cli/format.js';

test.each([
  [0, '0'],
  [999, '999'],
  [1000, '1,000'],
  [123_456, '123,456'],
  [1_234_567, '1,234,567'],
  [4.8e8, '480,000,000'],
])('count %d', (count, text) => expect(formatCount(count)).toBe(text));

test.each([
  [-1, '0.0 s'],
  [0.04, '0.0 s'],
  [9.94, '9.9 s'],
  [9.96, '10 s'],
  [59.4, '59 s'],
  [59.6, '1 min 00 s'],
  [185, '3 min 05 s'],
  [3599.4, '59 min 59 s'],
  [3599.6, '1 h 00 min'],
  [3600, '1 h 00 min'],
  [7479, '2 h 05 min'],
  [86_399, '1 d 00 h'],
  [961_200, '11 d 03 h'],
  [3.2e10, '370,370 d 08 h'],
])('duration of %d s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));

test.each([
  [0, '0/s'],
  [123_456.7, '123,457/s'],
  [12.34, '12/s'],
  [9.96, '10/s'],
  [2.5, '2.5/s'],
  [0.3, '18/min'],
  [0.05, '3.0/min'],
  [0.001, '3.6/h'],
])('rate of %d blocks a second', (rate, text) => expect(formatRate(rate)).toBe(text));

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1536, '1.5 KiB'],
  [1024 * 1023.6, '1.0 MiB'],
  [230 * 2 ** 20, '230 MiB'],
  [2 ** 60, '1024 PiB'],
])('%d bytes', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

test('one block, two blocks', () => {
  expect([0, 1, 2, 1000].map((count) => plural(count, 'block'))).toEqual([
    '0 blocks',
    '1 block',
    '2 blocks',
    '1,000 blocks',
  ]);
});

test('only the first line of foreign text is printed, and nothing that commands the terminal', () => {
  expect(firstLine('\n  two\r\nlines')).toBe('two');
  expect(firstLine('a\u001b[31mred\u001b[0m b\u0007c\u009b2Jd\u202eevil')).toBe('ared b c 2Jd evil');
  expect(firstLine('x'.repeat(20), 10)).toBe('xxxxxxxxx…');
  expect(firstLine('')).toBe('');
});

test('columns line up', () => {
  const rows = [
    ['task', 'n', 'log'],
    ['edges', '1,024', 'a'],
  ];
  expect(alignColumns(rows)).toEqual(['task       n  log', 'edges  1,024    a']);
  expect(alignColumns(rows, [0, 2])).toEqual(['task       n  log', 'edges  1,024  a']);
  expect(alignColumns([])).toEqual([]);
});
