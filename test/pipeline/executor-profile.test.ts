import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { loadPipeline } from '../../lib/pipeline/file.js';
import { profileText } from '../../lib/site/profile.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'profile-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function load(executor: string, further = '') {
  const file = join(folder, 'p.yaml');
  writeFileSync(
    file,
    `name: test
executor: ${executor}
${further}
arrays: {from: {store: from.zarr}, to: {store: to.zarr}}
tasks: {copy: {type: copy, source: from, target: to}}
`,
  );
  return loadPipeline(file);
}

const partition = { isDefault: true, isUp: true, features: [], gres: [] };
const slurm = { type: 'slurm', version: '22.05.8', partitions: [{ ...partition, name: 'main' }] } as const;
const site = { cluster: slurm, listen: { name: 'ib0', address: '10.0.0.1' } };

test.each(['site.yaml', 'site.json'])('an executor takes over what it does not say itself: %s', async (name) => {
  writeFileSync(join(folder, name), profileText(site, name));
  const { executor, executors } = await load(
    `{type: slurm, workers: 3, profile: ${name}}`,
    `executors: {big: {type: slurm, workers: 1, profile: ${name}, partition: gpu}}`,
  );
  const listen = { interface: 'ib0' };
  expect(executor).toEqual({ type: 'slurm', workers: 3, partition: 'main', listen });
  expect(executors.big).toEqual({ type: 'slurm', workers: 1, partition: 'gpu', listen });
});

test('queues of LSF are queues', async () => {
  writeFileSync(join(folder, 's.yaml'), profileText({ cluster: { ...slurm, type: 'lsf' } }, 's.yaml'));
  expect((await load('{type: lsf, workers: 3, profile: s.yaml}')).executor).toMatchObject({ queue: 'main' });
});

test.each([
  ['gone.yaml', '', 'there is no such file'],
  ['s.yaml', 'hello', 'expected a profile with an `executor`'],
  ['s.yaml', 'executor: {type: lsf}', "expected a profile whose executor has type slurm, found 'lsf'"],
  ['s.yaml', 'executor: {type: slurm, partition: 5}', 's.yaml: executor.partition: '],
  ['s.yaml', 'a: [', 'cannot read the profile'],
])('a profile that is none is named with its place: %s %s', async (name, content, message) => {
  writeFileSync(join(folder, 's.yaml'), content);
  const loaded = load(`{type: slurm, workers: 3, profile: ${name}}`);
  await expect(loaded).rejects.toThrow(message);
  await expect(loaded).rejects.toThrow('p.yaml:2:46: executor.profile: ');
});
