import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { faultRows } from './rows.js';

const tests = join(import.meta.dirname, '..');

test.each(faultRows)('fault $fault has the tests that its row names', ({ tests: named }) => {
  expect(named.length).toBeGreaterThan(0);
  for (const { file, tests: pattern } of named) {
    const path = join(tests, `${file}.test.js`);
    expect({ path, there: existsSync(path) }).toEqual({ path, there: true });
    // a name may have parts that are filled in, e.g. `${wanted} times`
    const names = readFileSync(path, 'utf8').replace(/\$\{\w+\}/g, '1');
    for (const one of (pattern ?? '').split('|')) {
      expect({ file, one, there: new RegExp(one).test(names) }).toEqual({ file, one, there: true });
    }
  }
});
