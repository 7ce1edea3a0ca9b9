/*
 * Writes blocks of one graph store for ever, for graph-kill.test.ts, which kills this process: node kill-writer.js <file> <first revision>.
 * Every row of a block carries the block's revision; a line says which block and revision were promised to be on disk.
 */
import { writeSync } from 'node:fs';
import { Roi } from '../../lib/geometry/roi.js';
import { SqliteGraphStore } from '../../lib/graph/sqlite-graph-store.js';
import { edgeColumns, nodeColumns } from './memory-graph.js';

const [path, first] = process.argv.slice(2);
const BLOCKS = 6;
const ROWS = 700; // several pages a block
const store = new SqliteGraphStore(path);
await store.init({ dimensions: 3 });
await store.addEdgeAttributes([{ name: 'revision', scale: 1 }]);
for (let revision = Number(first); ; revision++) {
  await Promise.all(
    Array.from({ length: BLOCKS }, async (_, block) => {
      const key = { task: 'late', block, roi: new Roi([block, 0, 0], [1, 1, 1]) };
      const ids = Array.from({ length: ROWS }, (_row, row) =>
        BigInt(1 + row + block * 1_000_000 + (revision % 3) * 70_000),
      );
      const edges = ids.map((id) => ({ u: id, v: id + 65_536n, scores: { revision: [revision, 1] as const } }));
      await store.writeEdges(key, edgeColumns(edges, ['revision']));
      await store.writeNodes(
        key,
        nodeColumns(ids.map((id) => ({ id, size: BigInt(revision), position: [block, (revision % 3) + 0.5, 0] }))),
      );
      writeSync(1, `${block} ${revision}\n`);
    }),
  );
}
