import { newOutput } from '../lib/native/output-memory.js';

type Output = BigUint64Array | Uint32Array | Float32Array | Uint8Array;

/** The same in memory in large pages, which numpy's arrays have, and ours when they are read from a store. */
export async function inLargePages<Data extends Output>(data: Data): Promise<Data> {
  const Type = data.constructor as Parameters<typeof newOutput<Data>>[0];
  const copy = await newOutput(Type, data.length);
  copy.set(data as never);
  return copy;
}
