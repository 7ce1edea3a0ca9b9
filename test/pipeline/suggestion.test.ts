import { expect, test } from '@jest/globals';
import { editDistance, suggest } from '../../lib/pipeline/suggestion.js';

test('editDistance counts insertions, deletions, replacements and swaps', () => {
  expect(editDistance('', 'abc')).toBe(3);
  expect(editDistance('kitten', 'sitting')).toBe(3);
  expect(editDistance('grpah', 'graph')).toBe(1);
  expect(editDistance('same', 'same')).toBe(0);
});

test.each([
  ['block_size', 'blockSize'],
  ['BLOCKSIZE', 'blockSize'],
  ['contxet', 'context'],
  ['retires', 'retries'],
  ['zzz', undefined],
  ['x', undefined],
])('suggest: %s -> %s', (found, expected) => {
  expect(suggest(found, ['blockSize', 'context', 'retries', 'after'])).toBe(expected);
});
