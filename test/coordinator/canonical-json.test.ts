import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson, differences, hashOf } from '../../lib/coordinator/canonical-json.js';

describe('canonical JSON', () => {
  test('depends on the value alone', () => {
    expect(canonicalJson({ b: [1, { z: null, a: 'ä"' }], a: undefined, A: 0.1 })).toBe(
      '{"A":0.1,"b":[1,{"a":"ä\\"","z":null}]}',
    );
    expect(canonicalJson({ toJSON: () => ({ b: 1, a: 2 }) })).toBe('{"a":2,"b":1}');
    expect(hashOf({ a: 1, b: 2 })).toBe(hashOf({ b: 2, a: 1 }));
    expect(hashOf({ a: 1 })).not.toBe(hashOf({ a: '1' }));
    expect(hashOf({})).toMatch(/^[0-9a-f]{64}$/);
  });

  test('differs exactly where there are differences', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        expect(differences(a, b).length === 0).toBe(canonicalJson(a) === canonicalJson(b));
        expect(differences(a, a)).toEqual([]);
        expect(JSON.parse(canonicalJson(a))).toEqual(JSON.parse(JSON.stringify(a)));
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  test('names the innermost places', () => {
    const before = { a: { b: [1, 2], c: 'x', gone: 0 }, same: [{}] };
    const after = { a: { b: [1, 3], c: ['x'] }, same: [{}], added: null };
    expect(differences(before, after)).toEqual([
      { key: 'a.b[1]', before: 2, after: 3 },
      { key: 'a.c', before: 'x', after: ['x'] },
      { key: 'a.gone', before: 0, after: undefined },
      { key: 'added', before: undefined, after: null },
    ]);
    expect(differences([1, 2], [1, 2, 3])).toEqual([{ key: '', before: [1, 2], after: [1, 2, 3] }]);
  });
});
