import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '..', '..');

/** What each folder of lib/ may import, besides itself. ARCHITECTURE.md draws the same. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  geometry: ['errors'],
  native: ['errors', 'geometry'],
  storage: ['errors', 'geometry', 'native'],
  graph: ['errors', 'geometry', 'native'],
  evaluation: ['errors', 'geometry', 'native', 'storage', 'graph'],
  compare: ['errors', 'geometry', 'native', 'storage', 'graph', 'evaluation'],
  blocks: ['errors', 'geometry'],
  scheduler: ['errors', 'geometry', 'blocks'],
  coordinator: ['errors', 'geometry', 'native', 'storage', 'graph', 'blocks', 'scheduler'],
  workers: ['errors', 'geometry', 'native', 'storage', 'graph', 'blocks', 'scheduler', 'coordinator'],
  executors: ['errors', 'geometry', 'native', 'storage', 'graph', 'blocks', 'scheduler', 'coordinator', 'workers'],
  site: ['errors', 'native', 'executors'],
  tasks: [
    'errors',
    'geometry',
    'native',
    'storage',
    'graph',
    'evaluation',
    'blocks',
    'scheduler',
    'coordinator',
    'workers',
  ],
};
const BELOW_PIPELINE = Object.keys(ALLOWED);
const RULES: Readonly<Record<string, readonly string[]>> = {
  ...ALLOWED,
  pipeline: BELOW_PIPELINE,
  view: [...BELOW_PIPELINE, 'pipeline'],
  cli: [...BELOW_PIPELINE, 'pipeline', 'view'],
  index: [...BELOW_PIPELINE, 'pipeline', 'view'],
};

/** Folders that do no I/O: they import no package and no module of Node. */
const PURE = ['errors', 'geometry', 'blocks', 'scheduler'];

interface Import {
  readonly from: string;
  readonly typeOnly: boolean;
}

/** Every module that a TypeScript source imports or exports from, comments left out. */
function importsOf(source: string): Import[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const statements = [...code.matchAll(/^\s*(?:import|export)\b(\s+type\b)?[^;'"]*?\bfrom\s*['"]([^'"]+)['"]/gm)];
  const bare = [...code.matchAll(/^\s*import\s*()['"]([^'"]+)['"]/gm)];
  const dynamic = [...code.matchAll(/\bimport\s*\(\s*()['"]([^'"]+)['"]/g)];
  return [...statements, ...bare, ...dynamic].map((match) => ({
    from: match[2],
    typeOnly: (match[1] ?? '').trim() === 'type',
  }));
}

/** The folder of a file of lib/, by which the rules go; files directly in lib/ are their own. */
const folderOf = (file: string) =>
  file
    .replace(/^lib\//, '')
    .replace(/\.ts$/, '')
    .split('/')[0];

/** The imports that go against the order of folders, in words. */
function wrongDirections(files: ReadonlyMap<string, readonly Import[]>): string[] {
  return [...files].flatMap(([file, imports]) => {
    const folder = folderOf(file);
    const allowed = RULES[folder];
    if (allowed === undefined) return [`${file}: lib/${folder} has no place in the order of folders`];
    return imports.flatMap(({ from }) => {
      if (!from.startsWith('.')) return PURE.includes(folder) ? [`${file} imports ${from}`] : [];
      const target = join(dirname(file), from);
      const to = target.startsWith('lib/') ? folderOf(target.replace(/\.js$/, '.ts')) : 'what is outside lib/';
      return to === folder || allowed.includes(to) ? [] : [`${file} imports ${to}`];
    });
  });
}

/** A circle of files, if there is one; imports of types alone are gone at run time and do not count. */
function circleIn(files: ReadonlyMap<string, readonly Import[]>): string[] | undefined {
  const finished = new Set<string>();
  const open: string[] = [];
  const visit = (file: string): string[] | undefined => {
    if (open.includes(file)) return [...open.slice(open.indexOf(file)), file];
    if (finished.has(file)) return undefined;
    open.push(file);
    for (const { from, typeOnly } of files.get(file) ?? []) {
      if (typeOnly || !from.startsWith('.')) continue;
      const circle = visit(join(dirname(file), from).replace(/\.js$/, '.ts'));
      if (circle !== undefined) return circle;
    }
    open.pop();
    finished.add(file);
    return undefined;
  };
  for (const file of files.keys()) {
    const circle = visit(file);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

/** Variables of C++ that outlive a call and can change, line by line; the code inside namespaces is not indented. */
function mutableStatics(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
  return code.split('\n').filter((line) => {
    if (/\b(?:const|constexpr|static_assert)\b/.test(line)) return false;
    if (/^\s*(?:inline\s+)?(?:static|thread_local)\b[^()]*(?:[;={[]|$)/.test(line)) return true;
    const global =
      /^(?!using|typedef|return|struct|class|enum|union|template|namespace|friend|extern "C"|#)[A-Za-z_][\w:<>,*& ]*[ *&>]\w+(?:\[\w*\])*\s*(?:=[^=].*|\{.*\})?;\s*$/;
    return global.test(line);
  });
}

/** Files below a folder of the repository with one of the endings, as paths from its root. */
function filesOf(folder: string, ...endings: string[]): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

const read = (file: string) => readFileSync(join(root, file), 'utf8');
const library = new Map(filesOf('lib', '.ts').map((file) => [file, importsOf(read(file))]));

describe('lib', () => {
  test('imports go one way', () => {
    expect(library.size).toBeGreaterThan(10);
    expect(wrongDirections(library)).toEqual([]);
  });

  test('no file imports itself through others', () => expect(circleIn(library)).toBeUndefined());
});

test('files are shorter than 400 lines', () => {
  const files = [...filesOf('lib', '.ts'), ...filesOf('native', '.h', '.cc'), ...filesOf('bin', '.js')];
  const long = files.filter((file) => read(file).trimEnd().split('\n').length >= 400);
  expect(long).toEqual([]);
});

describe('native', () => {
  const files = filesOf('native', '.h', '.cc');

  test('only the boundary knows Node', () => {
    const outside = files.filter((file) => !file.startsWith('native/boundary/') && file !== 'native/addon.cc');
    expect(outside.length).toBeGreaterThan(3);
    expect(outside.filter((file) => /#\s*include\s*[<"](?:napi|node_api|node)\b/.test(read(file)))).toEqual([]);
    expect(outside.filter((file) => /#\s*include\s*".*boundary\//.test(read(file)))).toEqual([]);
  });

  test('nothing mutable is static', () => {
    const inner = files.filter((file) => /^native\/(?:kernels|core|io)\//.test(file));
    expect(inner.flatMap((file) => mutableStatics(read(file)).map((line) => `${file}: ${line.trim()}`))).toEqual([]);
  });
});

describe('these checks see', () => {
  test('imports of every form', () => {
    const source = `
import { a } from './a.js';
import type { B } from "./b.js";
import {
  c,
  type D,
} from '../x/c.js';
export * from './e.js';
export type { F } from './f.js';
import './g.js';
import zod, * as all from 'zod';
const h = await import('./h.js');
// import { no } from './no.js';
/** import { no } from './no.js' */
export const from = 'nowhere';
`;
    expect(importsOf(source).map(({ from, typeOnly }) => `${from}${typeOnly ? ' (type)' : ''}`)).toEqual([
      './a.js',
      './b.js (type)',
      '../x/c.js',
      './e.js',
      './f.js (type)',
      'zod',
      './g.js',
      './h.js',
    ]);
  });

  test('wrong directions, types included, and circles', () => {
    const files = new Map([
      [
        'lib/geometry/a.ts',
        [
          { from: '../blocks/b.js', typeOnly: true },
          { from: 'node:fs', typeOnly: false },
        ],
      ],
      [
        'lib/blocks/b.ts',
        [
          { from: '../geometry/a.js', typeOnly: false },
          { from: './c.js', typeOnly: false },
        ],
      ],
      [
        'lib/blocks/c.ts',
        [
          { from: './b.js', typeOnly: true },
          { from: '../index.js', typeOnly: false },
        ],
      ],
      ['lib/utils/d.ts', []],
      [
        'lib/cli/e.ts',
        [
          { from: '../../test/f.js', typeOnly: false },
          { from: '../errors.js', typeOnly: false },
        ],
      ],
    ]);
    expect(wrongDirections(files)).toEqual([
      'lib/geometry/a.ts imports blocks',
      'lib/geometry/a.ts imports node:fs',
      'lib/blocks/c.ts imports index',
      'lib/utils/d.ts: lib/utils has no place in the order of folders',
      'lib/cli/e.ts imports what is outside lib/',
    ]);
    expect(circleIn(files)).toBeUndefined();
    files.set('lib/blocks/c.ts', [{ from: './b.js', typeOnly: false }]);
    expect(circleIn(files)).toEqual(['lib/blocks/b.ts', 'lib/blocks/c.ts', 'lib/blocks/b.ts']);
  });

  test('variables that outlive a call', () => {
    const bad = [
      'static int calls = 0;',
      '  static std::vector<int> cache;',
      'thread_local Buffer scratch;',
      'int counter = 0;',
      'std::atomic<int> running{0};',
      'inline std::mutex lock;',
      'Table* table;',
      'char buffer[16];',
    ];
    const good = [
      'static const int size = 4;',
      'constexpr int axes[] = {1, 2};',
      'static void visit(int a);',
      'static int product(const Shape& shape) {',
      '  int local = 0;',
      'inline constexpr char NAME[] = "x";',
      'using Index = std::size_t;',
      'struct Later;',
      'void run(const Options& options);',
      '};',
      '  static_cast<int>(a);',
    ];
    expect(mutableStatics([...bad, ...good].join('\n'))).toEqual(bad);
  });
});
