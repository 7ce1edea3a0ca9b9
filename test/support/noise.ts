/** Bytes that hardly compress, so that files are about as large as chunks; the first one is `number`, none is 0. */
export function noise(number: number, length: number): Uint8Array {
  const data = new Uint8Array(length);
  for (let i = 0, state = number; i < length; i += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[i] = (state >>> 24) | 1;
  }
  data[0] = number;
  return data;
}
