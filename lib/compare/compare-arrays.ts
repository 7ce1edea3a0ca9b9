import type { Roi } from '../geometry/roi.js';
import type { ArrayMetadata, DataType } from '../storage/metadata.js';
import type { Volume } from '../storage/volume.js';
import type { BlockOptions } from './block-pairs.js';
import { type Overlap, overlapOf } from './overlap.js';
import { type PartitionDifferences, partitionDifferences } from './partition-differences.js';
import { type ValueDifferences, valueDifferences } from './value-differences.js';

export interface ArrayComparison {
  readonly kind: 'arrays';
  readonly a: string;
  readonly b: string;
  readonly sense: 'exact' | 'tolerance' | 'partition';
  readonly tolerance: number;
  /** Whether they are equal in that sense, and unless only the overlap or a part was asked for, cover the same voxels. */
  readonly equal: boolean;
  readonly dataTypes: readonly [DataType, DataType];
  /** What differs of the rest; it does not count. */
  readonly metadata: readonly MetadataDifference[];
  readonly compared: Overlap;
  readonly values?: ValueDifferences;
  readonly partition?: PartitionDifferences;
}

export interface MetadataDifference {
  readonly what: string;
  readonly a: string;
  readonly b: string;
}

export interface ArrayOptions extends BlockOptions {
  /** Only which voxels share a label counts, not its id; background 0 is with 0 alone. */
  readonly partition?: boolean | undefined;
  /** How far two numbers may be apart. @default 0 */
  readonly tolerance?: number | undefined;
  /** Only this part, in world units of the first array. */
  readonly roi?: Roi | undefined;
  /** The first voxel with the first, wherever they lie in the world. */
  readonly byIndex?: boolean | undefined;
  /** Voxels that one array alone has do not count. */
  readonly overlap?: boolean | undefined;
  /** What is listed of each kind, at most. @default 10 */
  readonly limit?: number | undefined;
}

/**
 * Compares two volumes where they overlap in the world, block by block. Peak memory as {@link valueDifferences} and
 * {@link partitionDifferences}.
 *
 * @throws ERR_ARGUMENT where they do not overlap or their voxels do not match, or for a partition of floats; what reading throws;
 *   ERR_CANCELLED
 */
export async function compareArrays(a: Volume, b: Volume, options: ArrayOptions = {}): Promise<ArrayComparison> {
  const { partition = false, tolerance = 0, overlap = false } = options;
  const compared = overlapOf(a, b, options);
  const found = partition
    ? { partition: await partitionDifferences(a, b, compared, options) }
    : { values: await valueDifferences(a, b, compared, options) };
  const whole = compared.outside.every((voxels) => voxels === 0);
  return {
    kind: 'arrays',
    a: a.path,
    b: b.path,
    sense: partition ? 'partition' : tolerance === 0 ? 'exact' : 'tolerance',
    tolerance,
    equal: (found.partition ?? found.values).different === 0 && (whole || overlap),
    dataTypes: [a.metadata.dataType, b.metadata.dataType],
    metadata: metadataDifferences(a.metadata, b.metadata),
    compared,
    ...found,
  };
}

function metadataDifferences(a: ArrayMetadata, b: ArrayMetadata): MetadataDifference[] {
  const texts = (metadata: ArrayMetadata) => ({
    shape: metadata.shape.join(', '),
    'data type': metadata.dataType,
    'channel axes': String(metadata.channelAxes),
    'axis names': metadata.axisNames.join(', '),
    offset: metadata.offset.values.join(', '),
    'voxel size': metadata.voxelSize.values.join(', '),
    units: metadata.units.map((unit) => unit || '-').join(', '),
    chunks: metadata.chunkShape.join(', '),
    shards: metadata.shardShape?.join(', ') ?? 'none',
  });
  const other: Readonly<Record<string, string>> = texts(b);
  return Object.entries(texts(a)).flatMap(([what, text]) =>
    text === other[what] ? [] : [{ what, a: text, b: other[what] }],
  );
}
