import { BlockwrightError } from '../errors.js';

/** A JSON value; an integer beyond ±(2^53 - 1) is a bigint, so nothing is rounded. */
export type Json = null | boolean | number | bigint | string | Json[] | { [key: string]: Json };

const MAX_DEPTH = 256;
/** An object takes some hundred bytes of memory for three of text: the text's length alone bounds too little. */
const MAX_VALUES = 2 ** 21;
/** No float and no 64-bit integer needs more, and a bigint of millions of digits takes minutes. */
const MAX_DIGITS = 1000;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/y;
const SPACE = /[ \t\n\r]*/y;
// Python writes the last three, though they are not JSON.
const WORDS: readonly (readonly [string, Json])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
];

/**
 * Parses JSON text without rounding integers. JSON.parse rounds beyond 2^53, and a uint64 fill value is often there.
 *
 * @param where names the text in messages
 * @throws ERR_METADATA with the position, also for more than 256 nested values or an integer of more than 1000 digits; ERR_LIMIT
 *   for more than 2^21 values
 */
export function parseJson(text: string, where: string): Json {
  let position = 0;
  let values = 0;

  function fail(expected: string): never {
    const found = position < text.length ? JSON.stringify(text.slice(position, position + 20)) : 'the end';
    throw new BlockwrightError(
      'ERR_METADATA',
      `${where}: not JSON: expected ${expected} at character ${position}, found ${found}`,
    );
  }
  function match(pattern: RegExp): string | undefined {
    pattern.lastIndex = position;
    const found = pattern.exec(text);
    if (found === null) return undefined;
    position += found[0].length;
    return found[0];
  }
  function take(character: string): boolean {
    match(SPACE);
    if (text[position] !== character) return false;
    position += 1;
    return true;
  }
  function string(): string {
    match(SPACE);
    let end = position + 1;
    while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
    if (text[position] !== '"' || end >= text.length) fail('a string');
    try {
      const result = JSON.parse(text.slice(position, end + 1)) as string;
      position = end + 1;
      return result;
    } catch {
      return fail('a string with valid escapes');
    }
  }
  function value(depth: number): Json {
    if (depth > MAX_DEPTH) fail(`at most ${MAX_DEPTH} nested values`);
    values += 1;
    if (values > MAX_VALUES) {
      throw new BlockwrightError('ERR_LIMIT', `${where}: more than ${MAX_VALUES} values, at most that many are read`);
    }
    if (take('{')) return object(depth);
    if (take('[')) return array(depth);
    if (text[position] === '"') return string();
    const word = WORDS.find(([name]) => text.startsWith(name, position));
    if (word !== undefined) {
      position += word[0].length;
      return word[1];
    }
    const literal = match(NUMBER);
    if (literal === undefined) fail('a value');
    const number = Number(literal);
    if (Number.isSafeInteger(number) || !/^-?[0-9]+$/.test(literal)) return number;
    if (literal.length > MAX_DIGITS) fail(`an integer of at most ${MAX_DIGITS} digits`);
    return BigInt(literal);
  }
  function object(depth: number): Json {
    const result: { [key: string]: Json } = {};
    if (take('}')) return result;
    do {
      const key = string();
      if (!take(':')) fail("':'");
      // Not an assignment: '__proto__' must become a key like any other.
      Object.defineProperty(result, key, {
        value: value(depth + 1),
        enumerable: true,
        writable: true,
        configurable: true,
      });
    } while (take(','));
    if (!take('}')) fail("',' or '}'");
    return result;
  }
  function array(depth: number): Json {
    const result: Json[] = [];
    if (take(']')) return result;
    do result.push(value(depth + 1));
    while (take(','));
    if (!take(']')) fail("',' or ']'");
    return result;
  }

  const result = value(0);
  match(SPACE);
  if (position < text.length) fail('the end');
  return result;
}

/**
 * Writes JSON text; bigints as plain integers. `undefined` members are left out.
 *
 * @throws ERR_ARGUMENT for a value that JSON has no form for (NaN, functions, ...)
 */
export function stringifyJson(value: unknown, where: string, indent = ''): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'object' && value !== null && 'toJSON' in value && typeof value.toJSON === 'function') {
    return stringifyJson(value.toJSON(), where, indent);
  }
  const deeper = `${indent}  `;
  if (deeper.length > 2 * MAX_DEPTH) {
    throw new BlockwrightError('ERR_ARGUMENT', `${where}: expected at most ${MAX_DEPTH} nested values`);
  }
  if (Array.isArray(value)) {
    const entries = value.map((entry) => stringifyJson(entry, where, deeper));
    if (value.every((entry) => typeof entry !== 'object' || entry === null)) return `[${entries.join(', ')}]`;
    return `[\n${deeper}${entries.join(`,\n${deeper}`)}\n${indent}]`;
  }
  if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
    const entries = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([key, member]) => `${JSON.stringify(key)}: ${stringifyJson(member, where, deeper)}`);
    return entries.length === 0 ? '{}' : `{\n${deeper}${entries.join(`,\n${deeper}`)}\n${indent}}`;
  }
  if (typeof value === 'number' && Number.isFinite(value)) return Object.is(value, -0) ? '-0.0' : String(value);
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return JSON.stringify(value);
  throw new BlockwrightError('ERR_ARGUMENT', `${where}: expected what JSON can hold, found ${String(value)}`);
}
