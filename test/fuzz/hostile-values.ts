import type { NumericArray } from '../../lib/native/numeric-array.js';
import { below, oneOf, type Random } from './json-mutation.js';

const TYPES = [
  Uint8Array,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigUint64Array,
  BigInt64Array,
] as const;

const NUMBERS = [
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, -0, 0, 0.5, 1, 2, 3, 7, 64, 255, 256],
  ...[2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 2 ** 63, 1e300, -1e300, 5e-324],
];
const OTHERS = [
  ...[undefined, null, true, false, '', 'x', 'mean', 'uint64', 1n, -1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n],
  ...[
    {},
    [],
    [[]],
    Symbol('x'),
    () => 1,
    new Date(0),
    /x/,
    new Map(),
    new ArrayBuffer(8),
    new DataView(new ArrayBuffer(8)),
  ],
];

function isView(value: unknown): value is NumericArray {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

function detach(view: ArrayBufferView): void {
  if (view.buffer instanceof ArrayBuffer) structuredClone(view.buffer, { transfer: [view.buffer] });
}

/** The elements of a view in other memory. */
function inMemory<View extends NumericArray>(view: View, buffer: ArrayBufferLike): View {
  const copy = new (view.constructor as new (buffer: ArrayBufferLike, offset: number, length: number) => View)(
    buffer,
    0,
    view.length,
  );
  (copy as Uint8Array).set(view as Uint8Array);
  return copy;
}

function hostileView(random: Random, view: NumericArray): unknown {
  const { buffer, byteOffset, byteLength, length } = view;
  if (length === 0) return view; // or it is detached already
  switch (below(random, 9)) {
    case 0:
      return view.subarray(0, Math.max(0, length - 1 - below(random, 3)));
    case 1: {
      const type = oneOf(random, TYPES);
      return new type(length + below(random, 2));
    }
    case 2:
      return inMemory(view, new SharedArrayBuffer(byteLength));
    case 3: {
      const resizable = ArrayBuffer as unknown as new (
        length: number,
        options: { readonly maxByteLength: number },
      ) => ArrayBuffer;
      return inMemory(view, new resizable(byteLength, { maxByteLength: 2 * byteLength + 8 }));
    }
    case 4:
      detach(view);
      return view;
    case 5:
      return new Uint8Array(buffer, byteOffset, byteLength);
    default: {
      // other content
      const bytes = new Uint8Array(buffer, byteOffset, byteLength);
      const word = oneOf(random, [0x00, 0xff, 0x80, 0x7f, 0xf0]);
      const rarity = 1 + below(random, 20);
      const unit = view.BYTES_PER_ELEMENT;
      for (let at = 0; at < bytes.length; at += unit) {
        if (below(random, rarity) !== 0) continue;
        for (let byte = 0; byte < unit; byte++) bytes[at + byte] = below(random, 3) === 0 ? below(random, 256) : word;
      }
      return view;
    }
  }
}

/** A list that has effects when it is read: it detaches memory, grows, or says other things each time. */
function actingList(random: Random, list: readonly unknown[], views: readonly NumericArray[]): unknown {
  const victim = views.length > 0 ? oneOf(random, views) : undefined;
  if (below(random, 2) === 0) {
    const copy = [...list, 1];
    Object.defineProperty(copy, below(random, copy.length), {
      enumerable: true,
      configurable: true,
      get() {
        if (victim !== undefined && victim.length > 0) detach(victim);
        return list[0];
      },
    });
    return copy;
  }
  let reads = 0;
  return new Proxy([...list], {
    get(target, key) {
      if (key === 'length' && reads++ > 1) return target.length + 3;
      return Reflect.get(target, key);
    },
  });
}

function hostileList(random: Random, list: readonly unknown[], views: readonly NumericArray[]): unknown {
  if (list.length > 1000) return list; // hostile already
  switch (below(random, 6)) {
    case 0:
      return list.slice(1);
    case 1:
      return [...list, oneOf<unknown>(random, [...NUMBERS, list[0]])];
    case 2:
      return new Array(oneOf(random, [0, 7, 1000]));
    case 3: {
      const sparse: unknown[] = [...list];
      sparse.length = 2 ** 32 - 1;
      return sparse;
    }
    default:
      return actingList(random, list, views);
  }
}

/** Every view in a tree of plain objects and lists. */
function viewsOf(tree: unknown): NumericArray[] {
  if (isView(tree)) return [tree];
  if (typeof tree !== 'object' || tree === null) return [];
  return Object.values(tree).flatMap(viewsOf);
}

function hostileValue(random: Random, value: unknown, views: readonly NumericArray[]): unknown {
  const kind = below(random, 4);
  if (kind === 0) return oneOf<unknown>(random, OTHERS);
  if (kind === 1 && views.length > 0) return oneOf(random, views);
  if (isView(value)) return hostileView(random, value);
  if (Array.isArray(value)) return hostileList(random, value, views);
  return oneOf(random, NUMBERS);
}

/** Replaces one value, anywhere in a tree of plain objects and lists. */
export function makeHostile(random: Random, tree: Record<string, unknown>): void {
  const views = viewsOf(tree);
  let place = tree;
  let key = oneOf(random, Object.keys(place));
  // deeper, two times of three
  for (;;) {
    const value = place[key];
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || below(random, 3) === 0) break;
    const keys = Object.keys(value).slice(0, 64);
    if (keys.length === 0) break;
    place = value as Record<string, unknown>;
    key = oneOf(random, keys);
  }
  const hostile = hostileValue(random, place[key], views);
  Object.defineProperty(place, key, { value: hostile, enumerable: true, configurable: true, writable: true });
}
