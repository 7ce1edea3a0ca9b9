import type { z } from 'zod';
import { describeValue, formatKey, type KeyPath, listOf, type Problem } from './problem.js';
import type { Source } from './source.js';
import { suggest } from './suggestion.js';

type Issue = z.core.$ZodIssue;

const TYPES: Readonly<Record<string, string>> = {
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  tuple: 'a list',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  null: 'nothing',
};

/** What zod found wrong with a value, in the words and places of the file. */
export function problemsOf(schema: z.ZodType, value: unknown, issues: readonly Issue[], source: Source): Problem[] {
  return issues.flatMap((issue) => problemsOfIssue(issue, { schema, value, source, base: [] }));
}

interface Scene {
  readonly schema: z.ZodType;
  readonly value: unknown;
  readonly source: Source;
  /** Path of the union that an issue lies in. */
  readonly base: KeyPath;
}

function problemsOfIssue(issue: Issue, scene: Scene): Problem[] {
  const path = [...scene.base, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))];
  const value = valueAt(scene.value, path);
  const found = describeValue(value);
  const make = (expected: string, suggestion?: string, text?: string): Problem => ({
    ...place(scene.source, path, value === undefined ? 'key' : 'value'),
    key: formatKey(path),
    expected,
    found,
    text: text ?? (value === undefined ? `is missing; expected ${expected}` : `expected ${expected}, found ${found}`),
    ...(suggestion === undefined ? {} : { suggestion }),
  });
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey([...path, key], keysAt(scene.schema, scene.value, path), scene.source));
    case 'invalid_union': {
      if (issue.errors.length === 0) {
        const names = ((issue as { options?: readonly unknown[] }).options ?? []).map(String);
        return [make(listOf(names), typeof value === 'string' ? suggest(value, names) : undefined)];
      }
      // The branch that came furthest is the one that was meant; where all failed at once, any would do.
      const depth = (branch: readonly Issue[]) =>
        Math.max(...branch.map((one) => one.path.length + (one.code === 'invalid_type' ? 0 : 1)));
      const meant = issue.errors.filter((branch) => depth(branch) > 0).sort((a, b) => a.length - b.length)[0];
      if (meant !== undefined) return meant.flatMap((one) => problemsOfIssue(one, { ...scene, base: path }));
      const expected = issue.errors
        .flat()
        .map((one) => (one.code === 'invalid_type' ? (TYPES[one.expected] ?? one.expected) : one.message));
      return [make(listOf([...new Set(expected)], false))];
    }
    case 'invalid_key':
      return issue.issues.map((one) => ({
        ...place(scene.source, path, 'key'),
        key: formatKey(path),
        text: `${one.message}, found '${String(path.at(-1))}'`,
        found: `'${String(path.at(-1))}'`,
      }));
    case 'invalid_type':
      return [make(TYPES[issue.expected] ?? issue.expected)];
    case 'invalid_value': {
      const names = issue.values.map(String);
      const texts = issue.values.every((one) => typeof one === 'string');
      return [make(listOf(names, texts), typeof value === 'string' && texts ? suggest(value, names) : undefined)];
    }
    case 'too_small':
      return [
        make(limit(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum, issue.exact)),
      ];
    case 'too_big':
      return [
        make(limit(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum, issue.exact)),
      ];
    case 'not_multiple_of':
      return [make(`a multiple of ${issue.divisor}`)];
    default: {
      // Refinements and formats carry their own sentence.
      const text = issue.message.startsWith('expected') ? `${issue.message}, found ${found}` : issue.message;
      return [make(issue.message, undefined, text)];
    }
  }
}

/** A key that a mapping does not have. */
function unknownKey(path: KeyPath, known: readonly string[], source: Source): Problem {
  const suggestion = suggest(String(path.at(-1)), known);
  return {
    ...place(source, path, 'key'),
    key: formatKey(path),
    text: suggestion === undefined ? `unknown key; expected ${listOf(known, false)}` : 'unknown key',
    expected: listOf(known, false),
    found: `'${String(path.at(-1))}'`,
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

/** `file`, `line` and `column` of a path, as far as the source knows them. */
export function place(
  source: Source,
  path: KeyPath,
  what: 'key' | 'value' = 'value',
): Pick<Problem, 'file' | 'line' | 'column'> {
  return { ...(source.file === undefined ? {} : { file: source.file }), ...source.locate(path, what) };
}

function limit(origin: string, relation: string, bound: number | bigint, exact: boolean | undefined): string {
  const count = exact ? `exactly ${bound}` : `${relation} ${bound}`;
  if (origin === 'array' || origin === 'set') return `a list of ${count}`;
  if (origin === 'string') return bound === 1 && !exact ? 'text that is not empty' : `text of ${count} characters`;
  return `a number of ${count}`;
}

export function valueAt(value: unknown, path: KeyPath): unknown {
  let current = value;
  for (const part of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, part)) return undefined;
    current = (current as Record<string | number, unknown>)[part];
  }
  return current;
}

/** The keys that the schema knows at a path of a value. */
function keysAt(schema: z.ZodType, value: unknown, path: KeyPath): string[] {
  const definition = schema._zod.def as unknown as {
    type: string;
    shape?: Record<string, z.ZodType>;
    discriminator?: string;
    options?: readonly z.ZodType[];
    innerType?: z.ZodType;
    in?: z.ZodType;
    element?: z.ZodType;
    valueType?: z.ZodType;
  };
  const inner = definition.innerType ?? definition.in;
  if (inner !== undefined) return keysAt(inner, value, path);
  if (definition.options !== undefined) {
    const { discriminator } = definition;
    const options = definition.options.filter((option) => {
      const kinds = discriminator === undefined ? undefined : option._zod.propValues?.[discriminator];
      return kinds === undefined || kinds.has(valueAt(value, [discriminator as string]) as string);
    });
    return [...new Set(options.flatMap((option) => keysAt(option, value, path)))];
  }
  if (path.length === 0) return Object.keys(definition.shape ?? {});
  const [part, ...rest] = path;
  const next = definition.shape?.[part] ?? definition.element ?? definition.valueType;
  return next === undefined ? [] : keysAt(next, valueAt(value, [part]), rest);
}
