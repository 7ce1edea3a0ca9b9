import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '..', '..');

/** The rows of the page's file tables: folder -> names. */
function listed(): Map<string, Set<string>> {
  const tables = new Map<string, Set<string>>();
  let names = new Set<string>();
  for (const line of readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8').split('\n')) {
    const folder = /^### `([^`]+)\/`/.exec(line)?.[1];
    if (folder !== undefined) {
      names = new Set();
      tables.set(folder, names);
    }
    const name = /^\| `([^`]+)` \|/.exec(line)?.[1];
    if (name !== undefined) names.add(name);
  }
  return tables;
}

test.each(['lib', 'native', 'bin', 'scripts', 'benchmarks'])(
  'ARCHITECTURE.md names every source file of %s, and no other',
  (top) => {
    const files = readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
      .map((name) => join(top, name))
      .filter((path) => /\.(ts|h|cc|js|py|sh)$/.test(path) && !path.includes('.reference'));
    // x.cc stands beside x.h, which has the description
    const expected = files.filter((path) => !path.endsWith('.cc') || !files.includes(path.replace(/\.cc$/, '.h')));
    const found = [...listed()].flatMap(([folder, names]) =>
      folder === top || folder.startsWith(`${top}/`) ? [...names].map((name) => join(folder, name)) : [],
    );
    expect(found.sort()).toEqual(expected.sort());
    for (const path of expected) expect(listed().get(dirname(path))).toContain(basename(path));
  },
);
