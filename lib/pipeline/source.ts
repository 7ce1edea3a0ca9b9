import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml';
import { messageOf } from '../errors.js';
import { replaceVariables } from './environment.js';
import type { KeyPath, Position, Problem } from './problem.js';

/** Finds where a key stands in the text of a pipeline file. */
export interface Source {
  /** As the user named it, for messages; absent for a pipeline that was made in code. */
  readonly file?: string;
  /** The place of a key or of its value; of the nearest parent where it is missing. */
  locate(path: KeyPath, what?: 'key' | 'value'): Position | undefined;
}

/** The source of a pipeline that was made in code. */
export const NO_SOURCE: Source = { locate: () => undefined };

/** A file's text as data, with what is wrong with it as text: syntax, keys given twice, unset variables. */
export interface ParsedText {
  readonly value: unknown;
  readonly source: Source;
  readonly problems: readonly Problem[];
  /** Whether the value can be checked further in spite of the problems. */
  readonly usable: boolean;
}

/** Parses YAML 1.2 (JSON is part of it) and replaces `${VAR}` in values from `environment`. */
export function parseText(text: string, file: string, environment: NodeJS.ProcessEnv): ParsedText {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const problems: Problem[] = [];
  let usable = true;
  for (const error of [...document.errors, ...document.warnings]) {
    const place = position(error.pos[0]);
    const duplicate = error.code === 'DUPLICATE_KEY';
    if (!duplicate) {
      // One broken line makes the parser stumble many times: its first complaint is the useful one.
      if (!usable) continue;
      usable = false;
    }
    const key = duplicate ? text.slice(error.pos[0]).match(/^[^\s:]+/)?.[0] : undefined;
    problems.push({
      file,
      ...place,
      key: '',
      text: duplicate
        ? `expected each key once in a mapping, found ${key ?? 'a key'} again`
        : `expected valid YAML: ${error.message}${hintFor(lineOf(text, place.line))}`,
    });
  }
  const source: Source = {
    file,
    locate: (path, what = 'value') => {
      const offset = offsetOf(document, path, what);
      return offset === undefined ? undefined : position(offset);
    },
  };
  if (!usable) return { value: undefined, source, problems, usable };
  visit(document, {
    Scalar: (key, node) => {
      if (key === 'key' || typeof node.value !== 'string') return;
      const replaced = replaceVariables(node.value, environment, node.type === 'PLAIN');
      node.value = replaced.value;
      for (const sentence of replaced.problems) {
        problems.push({ file, ...position(node.range?.[0] ?? 0), key: '', text: sentence });
      }
    },
  });
  try {
    return { value: document.toJS(), source, problems, usable };
  } catch (error) {
    // An alias without its anchor, or aliases that would grow without bound.
    const message = messageOf(error);
    problems.push({ file, key: '', text: `expected valid YAML: ${message}` });
    return { value: undefined, source, problems, usable: false };
  }
}

/** A variable without quotes inside [] or {} reads as another mapping. */
function hintFor(line: string): string {
  return /[{[,].*[^'"]\$\{/.test(line) ? ' (quote a text with $' + '{...} inside [] or {})' : '';
}

function lineOf(text: string, line: number): string {
  return text.split('\n')[line - 1] ?? '';
}

/** Where the last part of a path that exists begins in the text. */
function offsetOf(document: Document, path: KeyPath, what: 'key' | 'value'): number | undefined {
  let node = document.contents as Node | null;
  let offset = node?.range?.[0];
  for (const [depth, part] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document) ?? null;
    let next: Node | null = null;
    let key: Node | undefined;
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(part));
      if (pair === undefined) return offset;
      key = pair.key as Node;
      next = pair.value as Node | null;
    } else if (isSeq(node) && typeof part === 'number' && part < node.items.length) {
      next = node.items[part] as Node;
    } else {
      return offset;
    }
    const last = depth === path.length - 1;
    // Inside a path the key is the better place: "under this".
    offset = (last && what === 'value' ? next : (key ?? next))?.range?.[0] ?? key?.range?.[0] ?? offset;
    node = next;
  }
  return offset;
}
