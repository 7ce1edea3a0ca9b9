import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { codeOf } from '../../lib/errors.js';
import { type HierarchyNode, listHierarchy } from '../../lib/storage/hierarchy.js';
import { temporaryFolder } from '../support/stores.js';

const folder = temporaryFolder();
afterAll(folder.remove);
let stores = 0;
let root = '';
beforeEach(() => {
  root = join(folder.path, `store-${stores++}`);
  mkdirSync(root);
});

function write(path: string, content: unknown): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
}

const axes = [{ name: 'y', type: 'space' }];
const datasets = (...paths: string[]) =>
  paths.map((path) => ({ path, coordinateTransformations: [{ type: 'scale', scale: [1] }] }));
const ome = { version: '0.5', multiscales: [{ axes, datasets: datasets('s0', 's1') }] };
const group = (attributes: object = {}) => ({ zarr_format: 3, node_type: 'group', attributes });
const array = { zarr_format: 3, node_type: 'array' };

/** Nodes in short: 'path kind format levels'. */
const short = (nodes: readonly HierarchyNode[]) =>
  nodes.map((node) => {
    if (node.kind === 'damaged') return `${node.path} ${codeOf(node.error)}`;
    const levels = node.kind === 'group' ? node.images.map((image) => image.levels.map(({ path }) => path)) : [];
    return [node.path, node.kind, node.zarrFormat, ...levels].join(' ');
  });

describe('folders are looked into', () => {
  beforeEach(() => {
    write('zarr.json', group());
    write('image/zarr.json', group({ ome }));
    write('image/s0/zarr.json', array);
    write('image/s0/c/zarr.json', array); // nothing below an array is one
    write('image/s1/zarr.json', array);
    write('plain/deep/old/.zarray', {});
    write('plain/v2/.zgroup', {});
    write('.hidden/zarr.json', array);
  });

  const whole = [
    ' group 3',
    'image group 3 s0,s1',
    'image/s0 array 3',
    'image/s1 array 3',
    'plain/deep/old array 2',
    'plain/v2 group 2',
  ];

  test('groups are not demanded, arrays are not entered', async () => {
    const { nodes, complete } = await listHierarchy(root);
    expect([short(nodes), complete]).toEqual([whole, true]);
  });

  test('a folder may be an array itself, or nothing at all', async () => {
    expect(short((await listHierarchy(join(root, 'image/s0'))).nodes)).toEqual([' array 3']);
    expect(await listHierarchy(join(root, 'nothing'))).toEqual({ nodes: [], complete: true });
  });

  test('links are not followed', async () => {
    symlinkSync(root, join(root, 'plain/circle'));
    symlinkSync('/', join(root, 'everything'));
    expect(short((await listHierarchy(root)).nodes)).toEqual(whole);
  });

  test('links to arrays are listed, for readers open them; what is above or below is not looked at', async () => {
    symlinkSync(join(root, 'image/s0'), join(root, 'image/s2'));
    symlinkSync('nowhere', join(root, 'image/s3'));
    symlinkSync(join(root, 'image'), join(root, 'plain/image'));
    write('.hidden/bad/zarr.json', 7);
    symlinkSync('../.hidden/bad', join(root, 'plain/bad'));
    expect(short((await listHierarchy(root)).nodes)).toEqual([
      ...whole.slice(0, 4),
      'image/s2 array 3',
      'plain/bad ERR_METADATA',
      ...whole.slice(4),
    ]);
  });

  test('limits cut it and say so', async () => {
    const shallow = await listHierarchy(root, { maxDepth: 1 });
    expect([short(shallow.nodes), shallow.complete]).toEqual([[' group 3', 'image group 3 s0,s1'], false]);
    const few = await listHierarchy(root, { maxFolders: 3 });
    expect([short(few.nodes), few.complete]).toEqual([[' group 3', 'image group 3 s0,s1', 'image/s0 array 3'], false]);
  });

  test('what is damaged is listed with its error', async () => {
    write('image/s1/zarr.json', '{"node_type": ');
    write('plain/v2/.zattrs', { multiscales: 1 });
    const { nodes } = await listHierarchy(root);
    expect(short(nodes)).toEqual([
      ...whole.slice(0, 3),
      'image/s1 ERR_METADATA',
      'plain/deep/old array 2',
      'plain/v2 ERR_METADATA',
    ]);
  });
});

describe('consolidated metadata is used where it is', () => {
  const metadata = { image: group({ ome }), 'image/s0': array, 'image/deep/deeper/s1': array };

  test('of zarr v3', async () => {
    write('zarr.json', { ...group(), consolidated_metadata: { kind: 'inline', must_understand: false, metadata } });
    write('unlisted/zarr.json', array);
    const { nodes, complete } = await listHierarchy(root);
    const listed = [' group 3', 'image group 3 s0,s1', 'image/deep/deeper/s1 array 3', 'image/s0 array 3'];
    expect([short(nodes), complete]).toEqual([listed, true]);
    const shallow = await listHierarchy(root, { maxDepth: 2 });
    expect([shallow.nodes.length, shallow.complete]).toEqual([3, false]);
  });

  test('of zarr v2', async () => {
    const attributes = { multiscales: [{ version: '0.4', axes, datasets: datasets('0') }] };
    const entries = { '.zgroup': {}, 'a/.zgroup': {}, 'a/.zattrs': attributes, 'a/0/.zarray': {}, 'a/0/.zattrs': {} };
    write('.zgroup', {});
    write('.zmetadata', { zarr_consolidated_format: 1, metadata: entries });
    const { nodes } = await listHierarchy(root);
    expect(short(nodes)).toEqual([' group 2', 'a group 2 0', 'a/0 array 2']);
  });

  test.each(['../outside', '/etc', 'a//b', 'a/./b', 'a\\b'])('a path %s is not believed', async (path) => {
    write('zarr.json', {
      ...group(),
      consolidated_metadata: { kind: 'inline', metadata: { ...metadata, [path]: array } },
    });
    write('real/zarr.json', array);
    expect(short((await listHierarchy(root)).nodes)).toEqual([' group 3', 'real array 3']);
  });
});
