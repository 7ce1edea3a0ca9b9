import { createHash } from 'node:crypto';

/** JSON whose text depends on the value alone: keys in code unit order, no spaces, undefined entries left out. */
export function canonicalJson(value: unknown): string {
  // one round trip applies toJSON and drops what JSON cannot hold
  return write(JSON.parse(JSON.stringify(value) ?? 'null'));
}

function write(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${write(entry)}`).join(',')}}`;
}

/** SHA-256 of the canonical JSON, in hexadecimal. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/** A place where two JSON values differ; undefined where one has nothing. */
export interface Difference {
  /** E.g. `options.bias[2]`. */
  readonly key: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** The innermost places where two JSON values differ. */
export function differences(before: unknown, after: unknown, key = ''): Difference[] {
  if (isContainer(before) && isContainer(after) && Array.isArray(before) === Array.isArray(after)) {
    // lists of unequal length are one difference: which entry is missing is a guess
    if (!Array.isArray(before) || before.length === (after as unknown[]).length) {
      const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
      return names.flatMap((name) => {
        const inner = Array.isArray(before) ? `${key}[${name}]` : key === '' ? name : `${key}.${name}`;
        return differences(ownEntry(before, name), ownEntry(after, name), inner);
      });
    }
  }
  return canonicalJson(before) === canonicalJson(after) && (before === undefined) === (after === undefined)
    ? []
    : [{ key, before, after }];
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function ownEntry(container: object, name: string): unknown {
  return Object.hasOwn(container, name) ? (container as Record<string, unknown>)[name] : undefined;
}
