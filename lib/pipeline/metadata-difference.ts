import { isDeepStrictEqual } from 'node:util';
import type { ArrayMetadata } from '../storage/metadata.js';

/**
 * What an array that is there has otherwise than the one that a task wants to write, as 'shape [64, 64] instead of
 * [64, 60]'; undefined when they are the same. Attributes that the task does not name may be anything, and so may the chunks
 * unless asked for: what matters of them is that no two blocks share one.
 */
export function metadataDifference(
  found: ArrayMetadata,
  wanted: ArrayMetadata,
  { chunks = false } = {},
): string | undefined {
  const differences: string[] = [];
  const compare = (name: string, a: unknown, b: unknown) => {
    const [left, right] = [plain(a), plain(b)];
    if (!isDeepStrictEqual(left, right)) differences.push(`${name} ${show(left)} instead of ${show(right)}`);
  };
  compare('shape', found.shape, wanted.shape);
  compare('data type', found.dataType, wanted.dataType);
  if (chunks) {
    compare('chunk shape', found.chunkShape, wanted.chunkShape);
    compare('shard shape', found.shardShape, wanted.shardShape);
  }
  compare('channel axes', found.channelAxes, wanted.channelAxes);
  compare('offset', found.offset, wanted.offset);
  compare('voxel size', found.voxelSize, wanted.voxelSize);
  for (const [name, value] of Object.entries(wanted.attributes)) {
    compare(`attribute '${name}'`, found.attributes[name], value);
  }
  return differences.length === 0 ? undefined : differences.join(', ');
}

/** As JSON would give it back: a coordinate is a list. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (value === undefined) return 'none';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
