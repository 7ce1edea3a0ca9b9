import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { codeOf } from '../../lib/errors.js';
import { type Json, parseJson, stringifyJson } from '../../lib/storage/exact-json.js';

const parse = (text: string) => parseJson(text, 'zarr.json');

function refusal(text: string): { code: string | undefined; message: string } {
  try {
    parse(text);
  } catch (error) {
    return { code: codeOf(error), message: String(error) };
  }
  throw new Error(`accepted: ${text.slice(0, 40)}`);
}

/** What JSON.parse would have made of it. */
function rounded(value: Json): Json {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, member]) => [key, rounded(member)] as const);
  return Object.fromEntries(entries);
}

describe('exact JSON', () => {
  test('integers beyond 2^53 are exact, others are numbers', () => {
    expect(parse('[18446744073709551615, -9223372036854775808, 9007199254740993, 9007199254740991]')).toEqual([
      2n ** 64n - 1n,
      -(2n ** 63n),
      2n ** 53n + 1n,
      2 ** 53 - 1,
    ]);
    expect(Object.is(parse('-0'), -0)).toBe(true);
    expect(parse('[1e308, 0.1, -2.5E-3]')).toEqual([1e308, 0.1, -0.0025]);
  });

  test('agrees with JSON.parse on what JSON.stringify writes, and reads back what it writes', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), fc.boolean(), (text, spaced) => {
        const value = JSON.parse(text);
        const written = spaced ? JSON.stringify(value, undefined, 2) : text;
        expect(rounded(parse(written))).toEqual(value);
        expect(rounded(parse(stringifyJson(value, 'x')))).toEqual(value);
      }),
      { seed: 20261122, numRuns: 500 },
    );
  });

  test('__proto__ is a key like any other', () => {
    const value = parse('{"__proto__": {"polluted": true}}') as object;
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect('polluted' in {}).toBe(false);
    expect('polluted' in value).toBe(false);
  });

  test('NaN and Infinity, which Python writes, are read', () => {
    expect(parse('[NaN, Infinity, -Infinity]')).toEqual([Number.NaN, Infinity, -Infinity]);
  });

  test.each([
    '',
    '{',
    '[1,]',
    '{"a" 1}',
    '{a: 1}',
    '01',
    '1 2',
    '"\\x"',
    '"a',
    '[1}',
    'nul',
    '+1',
    '.5',
    "'a'",
    '"\n"',
  ])('%j is refused with the position', (text) => {
    expect(refusal(text).code).toBe('ERR_METADATA');
    expect(refusal(text).message).toMatch(/zarr\.json: not JSON: expected .* at character \d+/);
  });

  test('deep nesting is refused, not a stack overflow', () => {
    expect(refusal('['.repeat(1e6)).message).toContain('at most 256 nested values');
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    expect(() => stringifyJson(cyclic, 'attributes')).toThrow(/at most 256 nested values/);
  });

  test('bigints are written as integers, other values that JSON does not have are refused', () => {
    expect(stringifyJson({ fill: 2n ** 64n - 1n, none: undefined, minus: -0 }, 'x')).toBe(
      '{\n  "fill": 18446744073709551615,\n  "minus": -0.0\n}',
    );
    for (const value of [Number.NaN, () => 1, new Uint8Array(2), Symbol('x')]) {
      expect(() => stringifyJson([value], 'attributes')).toThrow(/attributes: expected what JSON can hold/);
    }
  });
});
