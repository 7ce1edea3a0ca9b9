import { readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { zipSync } from 'fflate';
import { compareStores } from '../../lib/compare/compare-stores.js';
import { type AttributeColumn, readGraphRows } from '../../lib/compare/graph-rows.js';
import { Roi } from '../../lib/geometry/roi.js';
import { writeLut } from '../../lib/graph/lut.js';
import { SqliteGraphStore } from '../../lib/graph/sqlite-graph-store.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { readNpzMember } from '../../lib/storage/npz-member.js';
import { goldens, readJson, readNpz } from '../support/goldens.js';
import { metadataOf } from '../support/small-volume.js';
import { temporaryFolder } from '../support/stores.js';

const folder = temporaryFolder();
afterAll(folder.remove);
const path = (name: string) => join(folder.path, name);
const ids = (values: readonly (number | bigint)[]) => BigUint64Array.from(values, BigInt);

async function lut(name: string, rows: readonly (readonly [number, number])[]): Promise<string> {
  const fragments = ids(rows.map(([fragment]) => fragment));
  await writeLut(path(name), { fragments, segments: ids(rows.map(([, segment]) => segment)), sizes: fragments });
  return path(name);
}

/** A .npy of int64 [2, n], as numpy writes it, or with another shape in its header. */
function npyLut(rows: readonly (readonly [number, number])[], shape = `2, ${rows.length}`): Uint8Array {
  const header = `{'descr': '<i8', 'fortran_order': False, 'shape': (${shape}), }`.padEnd(118);
  const values = BigInt64Array.from([...rows.map(([one]) => BigInt(one)), ...rows.map(([, two]) => BigInt(two))]);
  const start = Buffer.concat([
    Buffer.from('\x93NUMPY\x01\0', 'latin1'),
    Buffer.from(Uint16Array.of(118).buffer),
    Buffer.from(header),
  ]);
  return Buffer.concat([start, Buffer.from(values.buffer)]);
}

describe('LUTs', () => {
  const rows = [
    [1, 10],
    [2, 10],
    [3, 30],
    [9, 90],
  ] as const;

  test('ours, and what volara and numpy save, in any order of rows', async () => {
    const ours = await lut('ours.lut', rows);
    const shuffled = [rows[2], rows[0], rows[3], rows[1]];
    for (const level of [0, 6] as const) {
      writeFileSync(path('theirs.npz'), zipSync({ 'fragment_segment_lut.npy': npyLut(shuffled) }, { level }));
      const result = await compareStores(ours, path('theirs.npz'));
      expect(result).toMatchObject({ kind: 'luts', equal: true, rows: [4, 4], common: 4, different: 0 });
    }
    writeFileSync(path('theirs.npy'), npyLut(shuffled));
    expect(await compareStores(path('theirs.npy'), ours)).toMatchObject({ kind: 'luts', equal: true });
  });

  test('differences are counted; as a partition ids do not count', async () => {
    const a = await lut('a.lut', rows);
    const renamed = await lut(
      'renamed.lut',
      rows.map(([one, two]) => [one, two + 1]),
    );
    expect(await compareStores(a, renamed, { limit: 2 })).toMatchObject({
      equal: false,
      different: 4,
      first: [
        { fragment: 1n, a: 10n, b: 11n },
        { fragment: 2n, a: 10n, b: 11n },
      ],
    });
    expect(await compareStores(a, renamed, { partition: true })).toMatchObject({
      equal: true,
      sense: 'partition',
      segments: { labelsA: 3, labelsB: 3, different: 0 },
    });
    const split = await lut('split.lut', [...rows.slice(0, 1), [2, 20], ...rows.slice(2)]);
    expect(await compareStores(a, split, { partition: true })).toMatchObject({
      equal: false,
      segments: { different: 1, split: 1, worst: [{ a: 10n, b: 20n, count: 1, fragment: 2n }] },
    });
  });

  test('fragments of one alone count, unless only those of both are asked for', async () => {
    const a = await lut('whole.lut', rows);
    const b = await lut('part.lut', [...rows.slice(1), [12, 120]]);
    const result = await compareStores(a, b);
    expect(result).toMatchObject({
      equal: false,
      common: 3,
      different: 0,
      onlyA: { count: 1, first: [1n] },
      onlyB: { count: 1, first: [12n] },
    });
    expect(await compareStores(a, b, { overlap: true })).toMatchObject({ equal: true });
  });

  test('what is none is refused', async () => {
    const a = await lut('good.lut', rows);
    writeFileSync(path('other.npz'), zipSync({ 'x.npy': npyLut(rows) }));
    await expect(compareStores(a, path('other.npz'))).rejects.toMatchObject({
      code: 'ERR_METADATA',
      message: expect.stringContaining('expected a .npz file with fragment_segment_lut.npy, found the members x.npy'),
    });
    writeFileSync(path('twice.npy'), npyLut([...rows, [1, 2]]));
    await expect(compareStores(a, path('twice.npy'))).rejects.toThrow(
      'expected each fragment once, found fragment 1 twice',
    );
    await expect(compareStores(a, path('nothing.npz'))).rejects.toMatchObject({ code: 'ERR_ARRAY_MISSING' });
    await expect(compareStores(a, path('good.lut'), { tolerance: 1 })).rejects.toThrow('tolerance: expected nothing');
  });
});

describe('with the fragments of both', () => {
  /** 6 fragments of A, in voxels of their own; B has other ids, in another order, and tells 5 and 6 apart from neither. */
  const fragmentsOf = async (name: string, labels: readonly number[]) => {
    const data = ids(Array.from({ length: 48 }, (_, voxel) => labels[Math.floor(voxel / 8)]));
    const metadata = metadataOf({ shape: [6, 2, 4], chunkShape: [2, 2, 2] });
    const array = await ChunkedArray.create(path(name), metadata);
    await array.writeRegion([0, 0, 0], [6, 2, 4], data);
    return path(name);
  };
  const A = [1, 2, 3, 4, 5, 6];
  const B = [60, 50, 1, 30, 7, 7];
  let fragments: [string, string];
  beforeAll(async () => {
    fragments = [await fragmentsOf('fragments-a', A), await fragmentsOf('fragments-b', B)];
  });

  test('LUTs are compared by the fragments that match', async () => {
    const a = await lut('match-a.lut', [
      [1, 1],
      [2, 1],
      [3, 3],
      [4, 4],
      [5, 5],
    ]);
    const b = await lut('match-b.lut', [
      [1, 9],
      [7, 8],
      [30, 4],
      [50, 2],
      [60, 2],
    ]);
    expect(await compareStores(a, b, { partition: true })).toMatchObject({ equal: false, common: 1 });
    const result = await compareStores(a, b, { partition: true, fragments });
    expect(result).toMatchObject({
      equal: true,
      common: 5,
      onlyA: { count: 0 },
      onlyB: { count: 0 },
      segments: { different: 0 },
    });
    const exact = await compareStores(a, b, { fragments });
    expect(exact).toMatchObject({
      different: 4,
      first: [{ fragment: 1n, a: 1n, b: 2n }, { fragment: 2n }, { fragment: 3n, a: 3n, b: 9n }, { fragment: 5n }],
    });
    // 6 has no match: B's 7 is A's 5
    const more = await lut('match-more.lut', [
      [1, 1],
      [2, 1],
      [3, 3],
      [4, 4],
      [5, 5],
      [6, 6],
    ]);
    expect(await compareStores(more, b, { partition: true, fragments })).toMatchObject({
      equal: false,
      onlyA: { count: 1, first: [6n] },
    });
    const unknown = await lut('match-unknown.lut', [
      [1, 9],
      [2, 5],
      [7, 8],
      [30, 4],
      [50, 2],
      [60, 2],
    ]);
    const alone = await compareStores(a, unknown, { partition: true, fragments });
    expect(alone).toMatchObject({ equal: false, common: 5, onlyB: { count: 1, first: [2n] } });
  });

  test('graphs are compared by the fragments that match', async () => {
    const make = (name: string, edges: readonly (readonly [number, number, number])[], names: readonly number[]) => {
      const database = new Database(path(name));
      database.exec('CREATE TABLE nodes (id, size); CREATE TABLE edges (u, v, s)');
      for (const [at, id] of names.slice(0, 5).entries()) database.exec(`INSERT INTO nodes VALUES (${id}, ${at + 1})`);
      for (const [u, v, score] of edges)
        database.exec(`INSERT INTO edges VALUES (${names[u - 1]}, ${names[v - 1]}, ${score})`);
      database.close();
      return path(name);
    };
    const edges = [
      [1, 2, 0.5],
      [2, 3, 0.25],
      [1, 5, 0.75],
    ] as const;
    const [a, b] = [make('match-a.db', edges, A), make('match-b.db', edges, B)];
    expect(await compareStores(a, b)).toMatchObject({ equal: false });
    const result = await compareStores(a, b, { fragments });
    expect(result).toMatchObject({
      equal: true,
      nodes: { common: 5 },
      edges: { common: 3, attributes: [{ name: 's', unequal: 0 }] },
    });
    const changed = make(
      'match-c.db',
      [
        [2, 1, 0.5],
        [2, 3, 0.5],
        [1, 4, 0.75],
      ],
      B,
    );
    expect(await compareStores(a, changed, { fragments })).toMatchObject({
      equal: false,
      edges: {
        onlyA: { first: [[1n, 5n]] },
        onlyB: { first: [[30n, 60n]] },
        attributes: [{ different: 1, largest: { row: [2n, 3n], a: 0.25, b: 0.5 } }],
      },
    });
  });

  test('arrays have no use for them', async () => {
    await expect(compareStores(fragments[0], fragments[1], { fragments })).rejects.toThrow(
      'fragments: expected nothing',
    );
  });
});

describe('.npz files', () => {
  test('of numpy are read, member by member', async () => {
    for (const name of readdirSync(join(goldens, 'graph-mws')).filter((one) => one.endsWith('.npz'))) {
      const file = join(goldens, 'graph-mws', name);
      for (const [member, { shape, data }] of Object.entries(readNpz(file))) {
        const found = await readNpzMember(file, member);
        expect(found.shape).toEqual(shape);
        expect(found.data).toEqual(data);
      }
    }
  });

  test('that are damaged are refused', async () => {
    const whole = zipSync({ 'a.npy': npyLut([[1, 2]]) }, { level: 6 });
    const read = async (bytes: Uint8Array) => {
      writeFileSync(path('damaged.npz'), bytes);
      return readNpzMember(path('damaged.npz'), 'a');
    };
    await read(whole);
    for (let length = 0; length < whole.length; length++) {
      await expect(read(whole.subarray(0, length))).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_/) });
    }
    for (let at = 0; at < whole.length; at++) {
      const bytes = whole.slice();
      bytes[at] ^= 0xff;
      // either the damage does not matter or it is an error of ours
      const outcome = await read(bytes).then(
        () => 'ERR_NONE',
        (error: { code?: string }) => error.code,
      );
      expect(outcome).toMatch(/^ERR_/);
    }
  });

  test.each([
    ['2, 9007199254740991', String(16 * (2 ** 53 - 1))],
    ['9007199254740991, 9007199254740991, 9007199254740991', String(8 * (2 ** 53 - 1) ** 3)],
    ['2, 2', '32'],
    ['2, 0', '0'],
  ])('whose header says the shape (%s) are refused before memory is taken', async (shape, expected) => {
    writeFileSync(path('shape.npz'), zipSync({ 'a.npy': npyLut([[1, 2]], shape) }));
    await expect(readNpzMember(path('shape.npz'), 'a')).rejects.toMatchObject({
      code: 'ERR_CHUNK_CORRUPT',
      message: `${path('shape.npz')}/a: expected ${expected} bytes, found 16`,
    });
  });
});

describe('graphs', () => {
  interface Golden {
    readonly nodeRows: readonly ({ readonly id: string; readonly position: number[] } & Record<string, unknown>)[];
    readonly edgeRows: readonly ({ readonly u: string; readonly v: string } & Record<string, unknown>)[];
  }
  const golden = (name: string) => ({
    file: join(goldens, 'graph-store', `${name}.db`),
    rows: readJson<Golden>(join(goldens, 'graph-store', `${name}.json`)),
  });
  const numberOf = (value: unknown) =>
    typeof value === 'number' ? value : typeof value === 'string' ? Number(value) : Number.NaN;

  /** A column that holds nothing but numbers. */
  const numbers = (column: AttributeColumn | undefined) => {
    expect(column).toHaveProperty('BYTES_PER_ELEMENT', 8);
    return column as Float64Array;
  };

  test.each(['volara', 'volara-big-ids'])('of volara are read: %s', async (name) => {
    const { file, rows } = golden(name);
    const { format, nodes, edges } = await readGraphRows(file);
    expect(format).toBe('funlib.persistence');
    const sorted = [...rows.nodeRows].sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1));
    expect([...nodes.ids]).toEqual(sorted.map(({ id }) => BigInt(id)));
    expect([...numbers(nodes.attributes.get('size'))]).toEqual(sorted.map(({ size }) => numberOf(size)));
    for (const axis of [0, 1, 2]) {
      expect([...nodes.attributes.get(`position_${axis}`)!]).toEqual(sorted.map(({ position }) => position[axis]));
    }
    expect(edges.u.length).toBe(rows.edgeRows.length);
    const scoreOf = new Map(
      rows.edgeRows.map((row) => [[BigInt(row.u), BigInt(row.v)].sort((a, b) => (a < b ? -1 : 1)).join('-'), row]),
    );
    for (let row = 0; row < edges.u.length; row++) {
      expect(edges.u[row] < edges.v[row]).toBe(true);
      const expected = scoreOf.get(`${edges.u[row]}-${edges.v[row]}`)!;
      for (const score of ['near', 'mid', 'far', 'distance']) {
        expect(edges.attributes.get(score)![row]).toBe(numberOf(expected[score]));
      }
    }
  });

  /** The nodes and scores of a graph in a store of ours. */
  async function copyOf(name: string, file: string, scale = 1): Promise<string> {
    const { nodes, edges } = await readGraphRows(file);
    const store = new SqliteGraphStore(path(name));
    await store.init({ dimensions: 3 });
    await store.addEdgeAttributes(['near', 'mid', 'far'].map((score) => ({ name: score, scale })));
    const key = { task: 't', block: 0, roi: new Roi([0, 0, 0], [1, 1, 1]) };
    const positions = Float64Array.from(
      { length: 3 * nodes.ids.length },
      (_, at) => numbers(nodes.attributes.get(`position_${at % 3}`))[Math.floor(at / 3)],
    );
    await store.writeNodes(key, { ids: nodes.ids, sizes: ids([...numbers(nodes.attributes.get('size'))]), positions });
    const attributes = Object.fromEntries(
      ['near', 'mid', 'far'].map((score) => {
        const values = numbers(edges.attributes.get(score));
        const sums = values.map((value) => (Number.isNaN(value) ? 0 : (4 * value) / scale));
        return [score, { sums, counts: values.map((value) => (Number.isNaN(value) ? 0 : 4)) }];
      }),
    );
    await store.writeEdges(key, { u: edges.u, v: edges.v, attributes });
    await store.close();
    return path(name);
  }

  test('ours and theirs with the same rows are equal; what one alone has is told', async () => {
    const { file, rows } = golden('volara');
    const ours = await copyOf('same.sqlite', file);
    const result = await compareStores(ours, file);
    expect(result).toMatchObject({
      kind: 'graphs',
      equal: true,
      formats: ['blockwright', 'funlib.persistence'],
      nodes: { common: rows.nodeRows.length, attributesOnlyB: expect.arrayContaining(['filtered', 'raw_intensity']) },
      edges: { common: rows.edgeRows.length, attributesOnlyA: [], attributesOnlyB: ['distance'] },
    });
    // sums of uint8 values: the last bits of a score may differ
    const scaled = await copyOf('scaled.sqlite', file, 1 / 255);
    expect(await compareStores(scaled, file, { tolerance: 1e-12 })).toMatchObject({ equal: true, sense: 'tolerance' });
  });

  test('rows of one alone and the largest differences are found', async () => {
    const { file } = golden('volara');
    const ours = await copyOf('changed.sqlite', file);
    const foreign = path('foreign.db');
    writeFileSync(foreign, '');
    truncateSync(foreign);
    const database = new Database(foreign);
    database.exec(
      `ATTACH '${file}' AS golden; CREATE TABLE nodes AS SELECT * FROM golden.nodes; CREATE TABLE edges AS SELECT * FROM golden.edges;`,
    );
    const [dropped, changed] = database
      .prepare<[], { id: number; position_0: number }>('SELECT id, position_0 FROM nodes ORDER BY id')
      .all();
    database.exec(
      `DELETE FROM nodes WHERE id = ${dropped.id}; UPDATE nodes SET position_0 = position_0 + 5 WHERE id = ${changed.id};`,
    );
    database.exec('INSERT INTO edges (u, v, near) VALUES (8, 3, 0.5)');
    const edge = database
      .prepare<[], { u: number; v: number; far: number }>('SELECT u, v, far FROM edges WHERE far > 0.2 LIMIT 1')
      .get()!;
    database.exec(`UPDATE edges SET far = far - 0.125 WHERE u = ${edge.u} AND v = ${edge.v}`);
    database.close();
    const result = await compareStores(ours, foreign, { tolerance: 0.01 });
    const pair = [edge.u, edge.v].sort((a, b) => a - b).map(BigInt);
    expect(result).toMatchObject({
      equal: false,
      nodes: { onlyA: { count: 1, first: [[BigInt(dropped.id)]] }, onlyB: { count: 0 } },
      edges: { onlyA: { count: 0 }, onlyB: { count: 1, first: [[3n, 8n]] } },
    });
    if (result.kind !== 'graphs') throw new Error('expected graphs');
    expect(result.nodes.attributes.find(({ name }) => name === 'position_0')).toMatchObject({
      unequal: 1,
      different: 1,
      largest: { row: [BigInt(changed.id)], a: changed.position_0, b: changed.position_0 + 5 },
    });
    expect(result.edges.attributes.find(({ name }) => name === 'far')).toMatchObject({
      different: 1,
      missing: 0,
      largest: { row: pair, a: edge.far, b: edge.far - 0.125 },
      first: [{ row: pair }],
    });
    expect(await compareStores(ours, foreign, { tolerance: 5, overlap: true })).toMatchObject({ equal: true });
  });

  test('who handles signals is told before it is read; a cancelled comparison does not begin', async () => {
    const { file } = golden('volara');
    let told = 0;
    const onWhole = () => told++;
    await expect(compareStores(file, file, { signal: AbortSignal.abort(), onWhole })).rejects.toMatchObject({
      code: 'ERR_CANCELLED',
    });
    expect(told).toBe(0);
    expect(await compareStores(file, file, { onWhole })).toMatchObject({ equal: true });
    expect(told).toBe(1);
  });

  test('a value on one side alone differs, whatever the tolerance', async () => {
    const make = (name: string, score: string) => {
      const database = new Database(path(name));
      database.exec(
        `CREATE TABLE nodes (id, x); CREATE TABLE edges (u, v, s); INSERT INTO edges VALUES (1, 2, ${score})`,
      );
      database.close();
      return path(name);
    };
    const result = await compareStores(make('one.db', '0.5'), make('none.db', 'NULL'), { tolerance: 100 });
    expect(result).toMatchObject({ equal: false, edges: { attributes: [{ name: 's', different: 1, missing: 1 }] } });
    expect(await compareStores(make('none-1.db', 'NULL'), make('none-2.db', 'NULL'))).toMatchObject({ equal: true });
  });

  test('text, bytes and integers beyond 2^53 count as they are', async () => {
    const make = (name: string, ...values: string[]) => {
      const database = new Database(path(name));
      database.exec('CREATE TABLE nodes (id, x); CREATE TABLE edges (u, v)');
      // from the last row to the first
      for (const [at, value] of [...values.entries()].reverse())
        database.exec(`INSERT INTO nodes VALUES (${at + 1}, ${value})`);
      database.close();
      return path(name);
    };
    const x = async (a: string, b: string, tolerance = 0) => {
      const result = await compareStores(a, b, { tolerance });
      if (result.kind !== 'graphs') throw new Error('expected graphs');
      const [{ unequal, different, missing, largest, first }] = result.nodes.attributes;
      const values = first.map((one) => [one.row[0], one.a, one.b]);
      return { equal: result.equal, unequal, different, missing, largest: largest?.difference, first: values };
    };
    const texts = ['1', "'axon'", "x'0aff'", "'it''s'", 'NULL', "'1'", "'x''00'''"];
    const others = ['1', "'soma'", "x'0afe'", 'NULL', "'a'", '1', "x'00'"];
    const [a, b] = [make('texts.db', ...texts), make('texts-other.db', ...others)];
    expect(await x(a, make('texts-same.db', ...texts))).toMatchObject({ equal: true, unequal: 0 });
    expect(await x(a, b, 1000)).toEqual({
      equal: false,
      unequal: 6,
      different: 6,
      missing: 2,
      largest: undefined,
      first: [
        [2n, "'axon'", "'soma'"],
        [3n, "x'0aff'", "x'0afe'"],
        [4n, "'it''s'", Number.NaN],
        [5n, Number.NaN, "'a'"],
        [6n, "'1'", 1],
        [7n, "'x''00'''", "x'00'"],
      ],
    });
    const c = make('large.db', '9007199254740993', '9007199254740992', '-9223372036854775808', '9007199254740993', '5');
    const d = make('large-other.db', '9007199254740992', '9007199254740992.0', '9223372036854775807', '0.5', '5');
    expect(await x(c, d)).toMatchObject({
      equal: false,
      unequal: 3,
      different: 3,
      largest: 2 ** 64,
      first: [
        [1n, 9007199254740993n, 9007199254740992n],
        [3n, -(2n ** 63n), 2n ** 63n - 1n],
        [4n, 9007199254740993n, 0.5],
      ],
    });
    expect(await x(c, d, 1)).toMatchObject({ unequal: 3, different: 2 });
  });

  test('what is none is refused', async () => {
    const { file } = golden('volara');
    const database = new Database(path('songs.db'));
    database.exec('CREATE TABLE songs (title)');
    database.close();
    await expect(compareStores(file, path('songs.db'))).rejects.toMatchObject({
      code: 'ERR_GRAPH',
      message: expect.stringContaining(
        'expected a graph store, ours or of funlib.persistence, found a database with the tables songs',
      ),
    });
    writeFileSync(path('damaged.db'), Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(2000, 7)]));
    await expect(compareStores(file, path('damaged.db'))).rejects.toMatchObject({ code: 'ERR_GRAPH' });
    writeFileSync(path('text.txt'), 'text');
    await expect(compareStores(file, path('text.txt'))).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' });
    await expect(compareStores(file, await lut('beside.lut', [[1, 2]]))).rejects.toThrow(
      'expected two of a kind, found a graph',
    );
    await expect(compareStores(file, file, { partition: true })).rejects.toThrow('partition: expected nothing');
  });
});
