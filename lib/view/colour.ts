/** Background of labels: dark grey rather than black, so that a black label cannot be taken for it. */
const BACKGROUND: readonly [number, number, number] = [24, 24, 24];

/** A colour that is always the same for an id: hue and lightness from a hash, never dark, never grey. */
export function labelColour(id: bigint): readonly [number, number, number] {
  if (id === 0n) return BACKGROUND;
  // murmur3's 64-bit finaliser: near ids get far colours
  let h = BigInt.asUintN(64, id);
  h = BigInt.asUintN(64, (h ^ (h >> 33n)) * 0xff51afd7ed558ccdn);
  h = BigInt.asUintN(64, (h ^ (h >> 33n)) * 0xc4ceb9fe1a85ec53n);
  const hash = Number((h ^ (h >> 33n)) & 0xffffffn);
  const hue = (hash & 0xfff) / 0x1000;
  const saturation = 0.55 + 0.4 * (((hash >> 12) & 0x3f) / 63);
  const value = 0.65 + 0.35 * (((hash >> 18) & 0x3f) / 63);
  return hsvToRgb(hue, saturation, value);
}

function hsvToRgb(hue: number, saturation: number, value: number): readonly [number, number, number] {
  const channel = (shift: number) => {
    const k = (shift + hue * 6) % 6;
    return Math.round(255 * value * (1 - saturation * Math.max(0, Math.min(k, 4 - k, 1))));
  };
  return [channel(5), channel(3), channel(1)];
}
