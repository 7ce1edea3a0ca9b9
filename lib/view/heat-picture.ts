import type { Picture } from './slice-image.js';

/** From low to high: dark to bright in every kind of colour vision. */
const STOPS: readonly (readonly [number, number, number])[] = [
  [0, 0, 4],
  [66, 10, 104],
  [147, 38, 103],
  [221, 81, 58],
  [252, 165, 10],
  [252, 255, 164],
];
/** What is not known. */
const UNKNOWN: readonly [number, number, number] = [128, 128, 128];

/** A slice of values as colours, 0 black to `highest` pale yellow; NaN is grey. */
export function heatPicture(values: ArrayLike<number>, height: number, width: number, highest: number): Picture {
  const data = new Uint8Array(3 * width * height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    data.set(Number.isNaN(values[pixel]) ? UNKNOWN : heatColour(values[pixel] / (highest || 1)), 3 * pixel);
  }
  return { width, height, data };
}

/** @param part 0 to 1 */
function heatColour(part: number): number[] {
  const place = Math.min(1, Math.max(0, part)) * (STOPS.length - 1);
  const below = Math.min(STOPS.length - 2, Math.floor(place));
  return STOPS[below].map((low, channel) => Math.round(low + (place - below) * (STOPS[below + 1][channel] - low)));
}
