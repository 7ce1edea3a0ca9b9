import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ERROR_CODES } from '../../lib/errors.js';

const header = readFileSync(join(import.meta.dirname, '..', '..', '..', 'native', 'core', 'error_codes.h'), 'utf8');

test('the codes of native code are codes of the library', () => {
  const constants = [...header.matchAll(/constexpr\s+char\s+(\w+)\[\]\s*=\s*"([^"]*)"/g)];
  expect(constants.length).toBeGreaterThan(5);
  for (const [, name, code] of constants) {
    expect(code).toBe(name);
    expect(ERROR_CODES).toContain(code);
  }
  // nothing escapes the pattern above
  expect(header.match(/\bERR_\w+(?=\[\])/g)).toHaveLength(constants.length);
  expect(new Set(ERROR_CODES).size).toBe(ERROR_CODES.length);
});
