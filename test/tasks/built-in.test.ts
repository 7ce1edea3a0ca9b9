import { expect, test } from '@jest/globals';
import { BUILT_IN_TYPES, loadBuiltInTasks } from '../../lib/tasks/built-in.js';
import { builtInTasks } from '../../lib/tasks/index.js';

test('a worker finds every built-in task under its type', async () => {
  expect(BUILT_IN_TYPES).toEqual(builtInTasks.map(({ type }) => type));
  const loaded = await loadBuiltInTasks(BUILT_IN_TYPES);
  expect(loaded.every((definition, i) => definition === builtInTasks[i])).toBe(true);
});

test('only those that are named, and no type of a plugin', async () => {
  const loaded = await loadBuiltInTasks(['relabel', 'my-own', 'copy', 'relabel']);
  expect(loaded.map(({ type }) => type)).toEqual(['relabel', 'copy']);
});
