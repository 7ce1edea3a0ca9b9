import { BlockwrightError } from '../errors.js';
import { type ContingencyTable, contingencyTable, mergeContingencyTables } from '../native/contingency-table.js';
import { className, factsOf, type TypedArray } from '../storage/data-type.js';
import type { Volume } from '../storage/volume.js';
import { type BlockOptions, blockPairs } from './block-pairs.js';
import { type BrokenPair, type LabelMatches, matchLabels } from './label-matches.js';
import { type Overlap, worldPosition } from './overlap.js';
import { positionOf } from './value-differences.js';

export interface PartitionDifferences extends Omit<LabelMatches, 'worst'> {
  readonly voxels: number;
  /** Pairs of labels that break the bijection, those of most voxels first, each with its first voxel in the order of blocks. */
  readonly worst: readonly (BrokenPair & { readonly index: readonly number[]; readonly world: readonly number[] })[];
}

export interface PartitionOptions extends BlockOptions {
  /** Pairs that are listed, at most. @default 10 */
  readonly limit?: number | undefined;
}

/**
 * Whether two volumes of labels part their voxels alike where they overlap: one label for one label, background 0 where the
 * other has 0. Reads the overlap once, and up to the last listed pair again where they differ. Peak memory: four blocks, and 48
 * bytes a pair of labels that meet.
 *
 * @throws ERR_ARGUMENT for floats
 */
export async function partitionDifferences(
  a: Volume,
  b: Volume,
  overlap: Overlap,
  options: PartitionOptions = {},
): Promise<PartitionDifferences> {
  for (const { path, metadata } of [a, b]) {
    if (factsOf(metadata.dataType).kind !== 'float') continue;
    const message = `${path}: expected labels of an integer type to compare as a partition, found ${metadata.dataType}`;
    throw new BlockwrightError('ERR_ARGUMENT', message, { path });
  }
  const { limit = 10, signal } = options;
  const tables = new TableStack();
  for await (const pair of blockPairs(a, b, overlap, options)) {
    await tables.add(
      await contingencyTable(labelsOf(pair.a), labelsOf(pair.b), signal === undefined ? {} : { signal }),
    );
  }
  const { worst, ...matches } = matchLabels(await tables.merged(), limit);
  return { voxels: overlap.voxels, ...matches, worst: await locate(a, b, overlap, worst, options) };
}

/** Merges tables of like sizes, so that each row is moved a few times only. */
class TableStack {
  private readonly tables: ContingencyTable[] = [];

  async add(table: ContingencyTable): Promise<void> {
    let last = table;
    while (this.tables.length > 0 && this.tables[this.tables.length - 1].a.length <= 2 * last.a.length) {
      last = await mergeContingencyTables([this.tables.pop()!, last]);
    }
    this.tables.push(last);
  }

  async merged(): Promise<ContingencyTable> {
    return mergeContingencyTables(this.tables);
  }
}

/** Labels as uint64; negative ones as their two's complement, for only which are alike counts. */
export function labelsOf(data: TypedArray): BigUint64Array {
  const name = className(data);
  if (name === 'BigUint64Array') return data as BigUint64Array;
  if (name === 'BigInt64Array') return new BigUint64Array(data.buffer as ArrayBuffer, data.byteOffset, data.length);
  // by 32-bit halves: BigInt arithmetic is slow
  const labels = new BigUint64Array(data.length);
  const words = new Int32Array(labels.buffer);
  const signed = name.startsWith('Int');
  for (let at = 0; at < data.length; at++) {
    const value = data[at] as number;
    words[2 * at] = value;
    if (signed && value < 0) words[2 * at + 1] = -1;
  }
  return labels;
}

/** The first voxel of each pair, in the order of blocks; reading ends when all are found. */
async function locate(
  a: Volume,
  b: Volume,
  overlap: Overlap,
  pairs: readonly BrokenPair[],
  { blockShape, signal }: PartitionOptions,
): Promise<PartitionDifferences['worst']> {
  const places = new Map<number, number[]>();
  if (pairs.length === 0) return [];
  for await (const pair of blockPairs(a, b, overlap, { blockShape, signal })) {
    const [labelsA, labelsB] = [wordsOf(labelsOf(pair.a)), wordsOf(labelsOf(pair.b))];
    for (const [number, { a: labelA, b: labelB }] of pairs.entries()) {
      if (places.has(number)) continue;
      const place = firstPlace(labelsA, labelsB, wordsOf(BigUint64Array.of(labelA, labelB)));
      if (place === undefined) continue;
      places.set(
        number,
        positionOf(place, pair.shape).map((voxel, axis) => voxel + pair.box.begin[axis]),
      );
    }
    if (places.size === pairs.length) break;
  }
  return pairs.map((pair, number) => {
    const index = places.get(number)!;
    return { ...pair, index, world: worldPosition(a, index) };
  });
}

const wordsOf = (labels: BigUint64Array) => new Uint32Array(labels.buffer, labels.byteOffset, 2 * labels.length);

/** The first element where both are the wanted labels; all in 32-bit halves, low ones first. */
function firstPlace(a: Uint32Array, b: Uint32Array, wanted: Uint32Array): number | undefined {
  const [lowA, highA, lowB, highB] = wanted;
  for (let at = 0; at < a.length; at += 2) {
    if (a[at] === lowA && b[at] === lowB && a[at + 1] === highA && b[at + 1] === highB) return at / 2;
  }
  return undefined;
}
