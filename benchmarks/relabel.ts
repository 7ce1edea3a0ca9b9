import { join } from 'node:path';
import { relabel } from '../lib/native/relabel.js';
import type { Benchmark, BenchmarkOptions, MakeOurSide } from './benchmark.js';
import { compare, isChosen } from './compare.js';
import { cornerFragments, tiled } from './inputs.js';
import { inLargePages } from './large-pages.js';
import { readNpy, writeNpy } from './npy.js';
import { sameNumbers } from './partition.js';
import type { Row } from './row.js';

interface Settings {
  /** .npy files: labels, and the table as two columns. */
  readonly labels: string;
  readonly from: string;
  readonly to: string;
  /** Write into memory that is there, as a worker does block after block, in place of new memory. */
  readonly reuse: boolean;
  readonly threads: number;
}

export const ours: MakeOurSide = async (settings) => {
  const { labels: path, from, to, reuse, threads } = settings as Settings;
  const { data, shape } = readNpy<BigUint64Array>(path);
  const labels = await inLargePages(data);
  const table = { fragments: readNpy<BigUint64Array>(from).data, segments: readNpy<BigUint64Array>(to).data };
  const output = reuse ? await inLargePages(new BigUint64Array(labels.length)) : undefined;
  return {
    run: async () => ({
      result: await relabel(labels, table, { threads, ...(output === undefined ? {} : { output }) }),
    }),
    write: (result, folder) => writeNpy(join(folder, 'labels.npy'), shape, result as BigUint64Array),
  };
};

const WAYS = {
  'fastremap.remap': { how: 'fastremap', reuse: false },
  'numpy take of a dense table': { how: 'take', reuse: false },
  'numpy searchsorted': { how: 'searchsorted', reuse: false },
  "volara's replace_values": { how: 'volara', reuse: false },
  'numpy take, existing memory': { how: 'take', reuse: true },
  'a mere copy, existing memory': { how: 'copy', reuse: true },
} as const;

async function* rows(options: BenchmarkOptions): AsyncGenerator<Row> {
  const block = options.smoke ? 16 : 128;
  const fragments = await cornerFragments(block);
  let highest = 0n;
  for (const id of fragments) if (id > highest) highest = id;
  const kinds = {
    // as a job's fragments are: the block's index times its voxels, and a number in the block
    'ids of blocks': BigInt(block ** 3),
    'ids 1..n': highest,
  };
  for (const size of options.smoke ? ['32'] : options.sizes) {
    const extent = Number(size);
    for (const [kind, idsOfBlock] of Object.entries(kinds).slice(0, options.smoke ? 1 : 2)) {
      const title = `${size}^3 ${kind}`;
      const ways = Object.entries(WAYS).filter(([name]) => isChosen(options, title, name));
      if (ways.length === 0) continue;
      const labels = tiled(fragments, block, extent, idsOfBlock);
      const blocks = (extent / block) ** 3;
      const count = blocks * Number(highest);
      const from = new BigUint64Array(count);
      const to = new BigUint64Array(count);
      for (let i = 0; i < count; i++) {
        const first = BigInt(Math.floor(i / Number(highest))) * idsOfBlock;
        from[i] = first + BigInt(i % Number(highest)) + 1n;
        // a segment: about nine fragments of a block
        to[i] = first + BigInt(((i % Number(highest)) * 7919) % Math.ceil(Number(highest) / 9)) + 1n;
      }
      const path = (name: string) => join(options.folder, `relabel-${name}.npy`);
      writeNpy(path('labels'), [extent, extent, extent], labels);
      writeNpy(path('from'), [count], from);
      writeNpy(path('to'), [count], to);
      const files = { labels: path('labels'), from: path('from'), to: path('to') };
      for (const [name, { how, reuse }] of ways) {
        const settings: Settings = { ...files, reuse, threads: options.threads };
        yield await compare(
          {
            bench: 'relabel',
            case: title,
            unit: 'M voxels/s',
            scale: 1e-6,
            items: extent ** 3,
            settings,
            reference: { name, environment: 'volara', script: 'relabel', settings: { ...files, how, reuse } },
            warmUp: true,
            equal: how === 'copy' ? 'a copy is the bound, not a reference' : sameLabels,
            extra: () => ({ entries: count }),
          },
          options,
        );
      }
    }
  }
}

function sameLabels(ours: string, reference: string): boolean {
  const read = (folder: string) => readNpy<BigUint64Array>(join(folder, 'labels.npy')).data;
  return sameNumbers(read(ours), read(reference));
}

export const benchmark: Benchmark = {
  name: 'relabel',
  description: 'uint64 labels through a table of all their ids',
  sizes: { '128': '128^3 voxels', '256': '256^3 voxels, 0.13 GB', '512': '512^3 voxels, 1.1 GB' },
  defaultSizes: ['128', '256', '512'],
  rows,
};
