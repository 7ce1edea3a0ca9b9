import { BlockwrightError } from '../errors.js';
import { uint64Labels } from '../evaluation/uint64-labels.js';
import { openLut } from '../graph/lut.js';
import { className } from '../storage/data-type.js';
import { NpyVolume } from '../storage/npy-volume.js';
import { readNpzMember } from '../storage/npz-member.js';

/** The name under which volara saves its LUTs. */
const VOLARA_MEMBER = 'fragment_segment_lut';

export interface LutRows {
  /** Ascending, each once. */
  readonly fragments: BigUint64Array;
  readonly segments: BigUint64Array;
}

/**
 * Reads a LUT: ours, or an integer array [2, n] of fragments and segments, in a .npy file or as volara's .npz. Peak memory: ours is
 * mapped; of the others four times the rows.
 *
 * @throws ERR_METADATA where it is none, or a fragment comes twice; ERR_ARGUMENT for negative ids; ERR_UNSUPPORTED, ERR_IO
 */
export async function readLutRows(path: string): Promise<LutRows> {
  if (!/\.np[yz]$/i.test(path)) return openLut(path);
  const { shape, data } = /z$/i.test(path) ? await readNpzMember(path, VOLARA_MEMBER) : await readWhole(path);
  const isFloat = className(data).startsWith('Float');
  if (shape.length !== 2 || shape[0] !== 2 || isFloat) {
    const found = `${isFloat ? 'floats' : 'integers'} of shape [${shape}]`;
    throw new BlockwrightError('ERR_METADATA', `${path}: expected a LUT, integers of shape [2, n], found ${found}`, {
      path,
    });
  }
  const labels = uint64Labels(path, data);
  const [keys, values] = [labels.subarray(0, shape[1]), labels.subarray(shape[1])];
  const order = Uint32Array.from({ length: shape[1] }, (_, row) => row);
  order.sort((x, y) => (keys[x] < keys[y] ? -1 : keys[x] > keys[y] ? 1 : x - y));
  const fragments = BigUint64Array.from(order, (row) => keys[row]);
  for (let row = 1; row < fragments.length; row++) {
    if (fragments[row] !== fragments[row - 1]) continue;
    const found = `fragment ${fragments[row]} twice`;
    throw new BlockwrightError('ERR_METADATA', `${path}: expected each fragment once, found ${found}`, { path });
  }
  return { fragments, segments: BigUint64Array.from(order, (row) => values[row]) };
}

async function readWhole(path: string) {
  const volume = await NpyVolume.open(path);
  return {
    shape: volume.shape,
    data: await volume.readRegion(
      volume.shape.map(() => 0),
      volume.shape,
    ),
  };
}
