import { BlockwrightError, type ErrorCode } from '../errors.js';
import type { Json } from './exact-json.js';

export type JsonObject = { [key: string]: Json };

/** Text of a value for messages, cut where it is long. */
export function show(value: unknown): string {
  const text = JSON.stringify(value, (_, entry) => (typeof entry === 'bigint' ? `${entry}` : entry)) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** A metadata file while it is read: gives each member with the type that is needed, or says what was found instead. */
export class Document {
  constructor(
    /** Path of the file. */
    readonly file: string,
    readonly members: JsonObject,
    /** Where in the file the members are, e.g. 'chunk_grid.configuration.'. */
    private readonly prefix = '',
  ) {}

  static of(file: string, value: Json): Document {
    if (!isObject(value)) {
      throw new BlockwrightError('ERR_METADATA', `${file}: expected a JSON object, found ${show(value)}`, {
        path: file,
      });
    }
    return new Document(file, value);
  }

  fail(key: string, expected: string, code: ErrorCode = 'ERR_METADATA'): never {
    const found = this.has(key) ? show(this.members[key]) : 'nothing';
    throw new BlockwrightError(code, `${this.file}: ${this.prefix}${key}: expected ${expected}, found ${found}`, {
      path: this.file,
      key: `${this.prefix}${key}`,
      expected,
      found: this.get(key),
    });
  }

  unsupported(key: string, supported: string): never {
    return this.fail(key, supported, 'ERR_UNSUPPORTED');
  }

  has(key: string): boolean {
    return Object.hasOwn(this.members, key);
  }

  /** The member, or undefined; never something inherited. */
  get(key: string): Json | undefined {
    return this.has(key) ? this.members[key] : undefined;
  }

  object(key: string): Document {
    const value = this.get(key);
    return isObject(value) ? new Document(this.file, value, `${this.prefix}${key}.`) : this.fail(key, 'an object');
  }

  /** An extension of zarr v3: an object with its name, or the name alone where there is nothing else to say. */
  extension(key: string): Document {
    const value = this.get(key);
    return typeof value === 'string'
      ? new Document(this.file, { name: value }, `${this.prefix}${key}.`)
      : this.object(key);
  }

  /** The object, or an empty one where the key is missing. */
  optionalObject(key: string): Document {
    return this.has(key) ? this.object(key) : new Document(this.file, {}, `${this.prefix}${key}.`);
  }

  list(key: string): Json[] {
    const value = this.get(key);
    return Array.isArray(value) ? value : this.fail(key, 'a list');
  }

  /** A list of what {@link extension} gives. */
  extensions(key: string): Document[] {
    const named = this.list(key).map((value) => (typeof value === 'string' ? { name: value } : value));
    return new Document(this.file, { ...this.members, [key]: named }, this.prefix).objects(key);
  }

  /** A list of objects. */
  objects(key: string): Document[] {
    return this.list(key).map((value, index) =>
      isObject(value)
        ? new Document(this.file, value, `${this.prefix}${key}[${index}].`)
        : this.fail(key, 'a list of objects'),
    );
  }

  text(key: string): string {
    const value = this.get(key);
    return typeof value === 'string' ? value : this.fail(key, 'a string');
  }

  texts(key: string): string[] {
    const value = this.get(key);
    const right = Array.isArray(value) && value.every((entry) => typeof entry === 'string');
    return right ? (value as string[]) : this.fail(key, 'a list of strings');
  }

  numbers(key: string): number[] {
    const value = this.get(key);
    const right = Array.isArray(value) && value.every((entry) => typeof entry === 'number' && Number.isFinite(entry));
    return right ? (value as number[]) : this.fail(key, 'a list of numbers');
  }

  /** Whole numbers within ±(2^53 - 1). */
  integers(key: string, minimum = -Number.MAX_SAFE_INTEGER): number[] {
    const value = this.get(key);
    const right =
      Array.isArray(value) && value.every((entry) => Number.isSafeInteger(entry) && (entry as number) >= minimum);
    const expected =
      minimum > -Number.MAX_SAFE_INTEGER
        ? `whole numbers from ${minimum} to 2^53 - 1`
        : 'whole numbers within ±(2^53 - 1)';
    return right ? (value as number[]) : this.fail(key, expected);
  }

  integer(key: string, minimum: number, maximum: number): number {
    const value = this.get(key);
    const right = Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum;
    return right ? (value as number) : this.fail(key, `a whole number from ${minimum} to ${maximum}`);
  }

  flag(key: string): boolean {
    const value = this.get(key);
    return typeof value === 'boolean' ? value : this.fail(key, 'true or false');
  }

  oneOf<Choice extends Json>(key: string, choices: readonly Choice[]): Choice {
    const value = this.get(key);
    const choice = choices.find((entry) => entry === value);
    return choice !== undefined ? choice : this.fail(key, choices.map(show).join(' or '));
  }
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
