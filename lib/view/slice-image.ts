import { encode } from 'fast-png';
import type { TypedArray } from '../storage/metadata.js';
import { labelColour } from './colour.js';

/** An RGB picture, 3 bytes a pixel, rows from the top. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** A slice of labels, each in its own colour (or in one of the caller's choice); background 0 is dark grey. */
export function labelPicture(
  labels: TypedArray,
  height: number,
  width: number,
  colourOf: (id: bigint) => readonly [number, number, number] = labelColour,
): Picture {
  const data = new Uint8Array(3 * width * height);
  const known = new Map<number | bigint, readonly [number, number, number]>();
  for (let pixel = 0; pixel < width * height; pixel++) {
    const id = labels[pixel];
    let colour = known.get(id);
    if (colour === undefined) {
      colour = colourOf(BigInt(id));
      known.set(id, colour);
    }
    data.set(colour, 3 * pixel);
  }
  return { width, height, data };
}

/** A slice of up to three uint8 channels ([channels, height, width]) as red, green, blue. */
export function channelPicture(channels: Uint8Array, count: number, height: number, width: number): Picture {
  const data = new Uint8Array(3 * width * height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let colour = 0; colour < 3; colour++) {
      data[3 * pixel + colour] = channels[Math.min(colour, count - 1) * width * height + pixel];
    }
  }
  return { width, height, data };
}

/** Every pixel as a square of `factor` pixels. */
export function enlarge(picture: Picture, factor: number): Picture {
  const width = picture.width * factor;
  const height = picture.height * factor;
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = 3 * (Math.floor(y / factor) * picture.width + Math.floor(x / factor));
      data.set(picture.data.subarray(from, from + 3), 3 * (y * width + x));
    }
  }
  return { width, height, data };
}

/** Pictures of one height beside each other, with a white gap. */
export function sideBySide(pictures: readonly Picture[], gap = 8): Picture {
  const height = Math.max(...pictures.map((picture) => picture.height));
  const width = pictures.reduce((sum, picture) => sum + picture.width, gap * (pictures.length - 1));
  const data = new Uint8Array(3 * width * height).fill(255);
  let left = 0;
  for (const picture of pictures) {
    for (let y = 0; y < picture.height; y++) {
      const row = picture.data.subarray(3 * y * picture.width, 3 * (y + 1) * picture.width);
      data.set(row, 3 * (y * width + left));
    }
    left += picture.width + gap;
  }
  return { width, height, data };
}

/** The bytes of a PNG file. */
export function toPng(picture: Picture): Uint8Array {
  return encode({ width: picture.width, height: picture.height, data: picture.data, channels: 3, depth: 8 });
}
