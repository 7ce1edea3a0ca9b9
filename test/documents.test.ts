import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { stringify, parse as yaml } from 'yaml';
import { tasksPage } from '../lib/cli/task-text.js';
import { loadPipeline } from '../lib/pipeline/file.js';
import { builtInTasks } from '../lib/tasks/index.js';

const root = join(import.meta.dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'blockwright-documents-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => join('docs', name))].filter((page) =>
  page.endsWith('.md'),
);
const examples = pages.flatMap((page) => {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(
    ([, code], i) => [`${page}, ${i + 1}`, yaml(code) as Example] as const,
  );
});

interface Example {
  readonly arrays?: Readonly<Record<string, unknown>>;
  readonly tasks?: Readonly<Record<string, { readonly source?: string; readonly target?: string }>>;
}

/** A part of a pipeline file as a whole one: with the arrays that its tasks name, or with a task that reads its first array. */
function whole({ arrays = {}, tasks, ...rest }: Example): object {
  const [first = 'second'] = Object.keys(arrays);
  const work = tasks ?? { work: { type: 'copy', source: first, target: 'other' } };
  const named = Object.values(work).flatMap((task) => [task.source, task.target].filter((name) => name !== undefined));
  const stores = Object.fromEntries(named.map((name) => [name, { store: `${name}.zarr` }]));
  return { name: 'example', ...rest, arrays: { ...stores, second: { store: 'second.zarr' }, ...arrays }, tasks: work };
}

describe('what the pages say', () => {
  test('has examples', () => expect(examples.length).toBeGreaterThan(3));

  test.each(examples)('is a pipeline file: %s', async (_, example) => {
    const file = join(folder, 'example.yaml');
    writeFileSync(file, stringify(whole(example)));
    expect((await loadPipeline(file)).tasks.length).toBeGreaterThan(0);
  });

  test('of the tasks is what the tasks say of themselves', () => {
    // otherwise: npx blockwright tasks --markdown > docs/tasks.md
    expect(readFileSync(join(root, 'docs', 'tasks.md'), 'utf8')).toBe(tasksPage(builtInTasks));
  });

  test('leads to files that are there', () => {
    const broken = pages.flatMap((page) => {
      const text = readFileSync(join(root, page), 'utf8');
      const links = [...text.matchAll(/\]\(([^)#:\s]+)\)/g)].map(([, link]) => link);
      return links.filter((link) => !existsSync(join(root, page, '..', link))).map((link) => `${page}: ${link}`);
    });
    expect(broken).toEqual([]);
  });
});
