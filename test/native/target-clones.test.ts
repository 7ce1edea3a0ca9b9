import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

// GCC 12 takes calls of functions that it compiles several times for calls that throw nothing: an exception out of one ends the
// process. The sanitized builds have no such functions, so only this, and a call that is stopped in one, can see it.
test('what is compiled for several processors lets no cancellation out', () => {
  const native = join(import.meta.dirname, '..', '..', '..', 'native');
  const sources = readdirSync(native, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(cc|h)$/.test(name));
  const throwing = sources.flatMap((name) => {
    const text = readFileSync(join(native, name), 'utf8').replace(/\/\/.*|\\$/gm, '');
    const cloned = text.match(/^[^#\n]*BLOCKWRIGHT_TARGET_CLONES\s+[^;{]*\{/gm) ?? [];
    return cloned
      .filter((head) => /\bCancellation\b/.test(head) && !/\bexception_ptr\b/.test(head))
      .map((head) => `${name}: ${head}`);
  });
  expect(throwing).toEqual([]);
});
