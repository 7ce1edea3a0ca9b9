import type { z } from 'zod';
import { type ReferenceKind, references } from '../workers/option-types.js';
import type { KeyPath } from './problem.js';

/** An option's text that names an array, a graph or a LUT. */
export interface Reference {
  readonly kind: ReferenceKind;
  readonly name: string;
  readonly path: KeyPath;
}

interface Definition {
  readonly type: string;
  readonly shape?: Record<string, z.ZodType>;
  readonly element?: z.ZodType;
  readonly items?: readonly z.ZodType[];
  readonly options?: readonly z.ZodType[];
  readonly valueType?: z.ZodType;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
}

/** All references in a value, found through the schema's marks. The value need not be valid. */
export function findReferences(schema: z.ZodType, value: unknown, path: KeyPath = []): Reference[] {
  const mark = references.get(schema);
  if (mark !== undefined) return typeof value === 'string' ? [{ kind: mark.kind, name: value, path }] : [];
  const found: Reference[] = [];
  const visit = (inner: z.ZodType | undefined, innerValue: unknown, part?: string | number) => {
    if (inner !== undefined && innerValue !== undefined) {
      found.push(...findReferences(inner, innerValue, part === undefined ? path : [...path, part]));
    }
  };
  const definition = schema._zod.def as unknown as Definition;
  const record = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  for (const [key, inner] of Object.entries(definition.shape ?? {})) {
    if (Object.hasOwn(record, key)) visit(inner, record[key], key);
  }
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) visit(definition.items?.[i] ?? definition.element, item, i);
  } else if (definition.valueType !== undefined) {
    for (const [key, item] of Object.entries(record)) visit(definition.valueType, item, key);
  }
  for (const option of definition.options ?? []) visit(option, value);
  visit(definition.innerType ?? definition.in, value);
  // The branches of a union can say the same twice.
  return found.filter(
    (one, i) => found.findIndex((other) => other.kind === one.kind && samePath(other.path, one.path)) === i,
  );
}

function samePath(a: KeyPath, b: KeyPath): boolean {
  return a.length === b.length && a.every((part, i) => part === b[i]);
}
