import type { Json } from '../../lib/storage/exact-json.js';
import { parseJson } from '../../lib/storage/exact-json.js';

/** Numbers in [0, 1). */
export type Random = () => number;

export const below = (random: Random, limit: number) => Math.floor(random() * limit);
export const oneOf = <Entry>(random: Random, entries: readonly Entry[]): Entry =>
  entries[below(random, entries.length)];

/** Text that stands in the JSON as it is. */
class Raw {
  constructor(readonly text: string) {}
}

/** An object whose keys may repeat. */
class Members {
  constructor(readonly entries: [string, Tree][]) {}
}

type Tree = null | boolean | number | bigint | string | Raw | Members | Tree[];

function treeOf(value: Json): Tree {
  if (Array.isArray(value)) return value.map(treeOf);
  if (typeof value !== 'object' || value === null) return value;
  return new Members(Object.entries(value).map(([key, member]) => [key, treeOf(member)]));
}

function textOf(tree: Tree): string {
  if (tree instanceof Raw) return tree.text;
  if (tree instanceof Members) {
    return `{${tree.entries.map(([key, value]) => `${JSON.stringify(key)}:${textOf(value)}`).join(',')}}`;
  }
  if (Array.isArray(tree)) return `[${tree.map(textOf).join(',')}]`;
  return typeof tree === 'bigint' || (typeof tree === 'number' && !Number.isFinite(tree))
    ? String(tree)
    : JSON.stringify(tree);
}

/** Characters that one change adds at most. */
const MAX_GROWTH = 500_000;
const WORDS = [
  ...['C', 'F', '<u8', '>f2', '|b1', '|u1', '<i4', '=f8', '<M8', '|O', '<u3', 'u1', '>', '|V8'],
  ...['uint8', 'uint64', 'bool', 'float16', 'float64', 'int128', 'complex64', 'r8', 'string'],
  ...['bytes', 'sharding_indexed', 'transpose', 'blosc', 'gzip', 'zlib', 'lz4', 'zstd', 'crc32c', 'snappy', 'bz2'],
  ...[
    'default',
    'v2',
    'regular',
    'rectilinear',
    'start',
    'end',
    'little',
    'big',
    '.',
    '/',
    '/../',
    '..',
    'array',
    'group',
  ],
  ...[
    'scale',
    'translation',
    'identity',
    'affine',
    'space',
    'time',
    'channel',
    'nanometer',
    'furlong',
    '0.4',
    '0.5',
    '0.6',
  ],
];
const NAMES = [
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'toJSON', 'length', '', ' ', 'must_understand'],
  ...['storage_transformers', 'filters', 'compressor', 'dimension_separator', 'order', 'fill_value', 'codecs', 'shape'],
  ...[
    'chunks',
    'chunk_shape',
    'configuration',
    'name',
    'id',
    'version',
    'multiscales',
    'ome',
    'datasets',
    'path',
    'axes',
  ],
  ...['coordinateTransformations', 'offset', 'voxel_size', 'units', 'axis_names', 'types', '_ARRAY_DIMENSIONS'],
  ...[
    'dimension_names',
    'index_codecs',
    'index_location',
    'endian',
    'typesize',
    'blocksize',
    'level',
    'clevel',
    'cname',
  ],
];
const NUMBERS: readonly Tree[] = [
  ...[
    -1,
    0,
    -0,
    1,
    0.5,
    1e308,
    -1e308,
    5e-324,
    1e-300,
    255,
    256,
    65536,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32,
    2 ** 53 - 1,
    2 ** 53,
  ],
  ...[2n ** 63n, 2n ** 64n - 1n, 2n ** 64n, -(2n ** 63n), 2n ** 128n, 10n ** 400n],
  ...[
    '1e400',
    '-1e400',
    'NaN',
    'Infinity',
    '-Infinity',
    '1e-400',
    '9'.repeat(5000),
    '01',
    '+1',
    '.5',
    '1.',
    '0x10',
  ].map((text) => new Raw(text)),
];
const TEXTS: readonly string[] = [
  ...['', 'NaN', 'Infinity', '-Infinity', '0x', '0x00', '0xzz', '0x7fc00000', '0x7ff8000000000001', '-0x1', 'null'],
  ...[
    '../outside',
    '../../outside',
    '/etc/passwd',
    '..',
    '.',
    '/',
    '//',
    's0/../../outside',
    's0/',
    './s0',
    '\0',
    's0\0',
    '\\',
  ],
  ...[
    '..\\outside',
    'C:\\',
    'file:///etc/passwd',
    '%2e%2e/outside',
    '\ud800',
    '\u202e',
    'x'.repeat(300),
    'x/'.repeat(3000),
  ],
  ...['x'.repeat(100_000), `0x${'f'.repeat(100_000)}`],
];
const CODECS: readonly Json[] = [
  { name: 'bytes' },
  { name: 'bytes', configuration: { endian: 'big' } },
  { name: 'crc32c' },
  { name: 'gzip', configuration: { level: 1 } },
  { name: 'zstd', configuration: { level: 0, checksum: false } },
  { name: 'blosc', configuration: { cname: 'zstd', clevel: 1, shuffle: 'shuffle', typesize: 4, blocksize: 0 } },
  { name: 'transpose', configuration: { order: [1, 0] } },
  { name: 'transpose', configuration: { order: [0, 1, 2] } },
  {
    name: 'sharding_indexed',
    configuration: {
      chunk_shape: [1, 1, 1],
      codecs: [{ name: 'bytes', configuration: { endian: 'little' } }],
      index_codecs: [{ name: 'bytes', configuration: { endian: 'little' } }, { name: 'crc32c' }],
    },
  },
];

function hostileValue(random: Random): Tree {
  switch (below(random, 10)) {
    case 0:
    case 1:
    case 2:
      return oneOf(random, NUMBERS);
    case 3:
    case 4:
      return oneOf(random, random() < 0.5 ? TEXTS : [...NAMES, ...WORDS]);
    case 5:
      return oneOf(random, [null, true, false, [], new Members([])] as const);
    case 6: {
      const depth = oneOf(random, [3, 200, 300, 100_000]);
      return new Raw(oneOf(random, ['[', '{"a":']).repeat(depth) + (random() < 0.5 ? '' : ']'.repeat(depth)));
    }
    case 7: {
      const entry = oneOf(random, random() < 0.7 ? NUMBERS : TEXTS);
      const count = oneOf(random, [1, 2, 3, 4, 6, 7, 20, 1000, 50_000]);
      return new Array<Tree>(Math.min(count, Math.ceil(MAX_GROWTH / textOf(entry).length))).fill(entry);
    }
    case 8:
      return treeOf(oneOf(random, CODECS));
    default:
      return new Members([[oneOf(random, NAMES), oneOf(random, [...NUMBERS, ...TEXTS])]]);
  }
}

/** A place in the tree whose value can be changed. */
interface Slot {
  readonly parent: Members | Tree[];
  readonly index: number;
}

function slotsOf(tree: Tree, slots: Slot[] = []): Slot[] {
  if (slots.length > 5000) return slots;
  const children = tree instanceof Members ? tree.entries.map(([, value]) => value) : Array.isArray(tree) ? tree : [];
  children.forEach((child, index) => {
    slots.push({ parent: tree as Members | Tree[], index });
    slotsOf(child, slots);
  });
  return slots;
}

const get = ({ parent, index }: Slot): Tree => (parent instanceof Members ? parent.entries[index][1] : parent[index]);

function set({ parent, index }: Slot, value: Tree): void {
  if (parent instanceof Members) parent.entries[index] = [parent.entries[index][0], value];
  else parent[index] = value;
}

function copyOf(tree: Tree): Tree {
  if (tree instanceof Members) return new Members(tree.entries.map(([key, value]) => [key, copyOf(value)]));
  return Array.isArray(tree) ? tree.map(copyOf) : tree;
}

/** Changes one place of the tree. */
function changeTree(random: Random, root: Tree[]): void {
  const slots = slotsOf(root);
  const slot = oneOf(random, slots);
  const { parent, index } = slot;
  const value = get(slot);
  switch (below(random, 9)) {
    case 0:
      set(slot, hostileValue(random));
      return;
    case 1: // of the same kind
      if (typeof value === 'number') set(slot, oneOf(random, NUMBERS));
      else if (typeof value === 'string') set(slot, oneOf(random, random() < 0.5 ? TEXTS : [...NAMES, ...WORDS]));
      else set(slot, hostileValue(random));
      return;
    case 2: // missing
      if (parent !== root) (parent instanceof Members ? parent.entries : parent).splice(index, 1);
      return;
    case 3: // twice, or often
      if (parent instanceof Members) parent.entries.push([parent.entries[index][0], hostileValue(random)]);
      else if (parent !== root) {
        const times = Math.min(oneOf(random, [1, 2, 16, 17, 200, 3000]), MAX_GROWTH / textOf(value).length);
        parent.splice(index, 0, ...Array.from({ length: times }, () => copyOf(value)));
      }
      return;
    case 4:
      if (parent instanceof Members) parent.entries[index] = [oneOf(random, NAMES), value];
      return;
    case 5:
      if (value instanceof Members) value.entries.push([oneOf(random, NAMES), hostileValue(random)]);
      return;
    case 6:
      set(slot, copyOf(get(oneOf(random, slots))));
      return;
    case 7:
      set(slot, random() < 0.5 ? [value] : new Members([[oneOf(random, NAMES), value]]));
      return;
    default:
      if (typeof value === 'number') {
        set(slot, oneOf(random, [value + 1, value - 1, -value, value * 2, value / 2, value * 2 ** 31, value + 0.5]));
      }
  }
}

function changeBytes(random: Random, bytes: Buffer): Buffer {
  const at = below(random, bytes.length + 1);
  const end = at + below(random, 40);
  switch (below(random, 6)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
    case 3: {
      const strange = [
        '\ufeff',
        '{',
        '}',
        '[',
        ']',
        '"',
        ',',
        ':',
        '\\',
        '\\u',
        '//',
        '\0',
        '\u2028',
        '1e9',
        '-',
        '\n',
      ];
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(oneOf(random, strange)), bytes.subarray(at)]);
    }
    default: {
      const changed = Buffer.from(bytes);
      if (changed.length > 0)
        changed[at % changed.length] ^= random() < 0.5 ? 1 << below(random, 8) : below(random, 256);
      return changed;
    }
  }
}

/** The text of a metadata file, damaged: as a structure, as bytes, or as both. */
export function mutateJson(random: Random, content: Buffer): Buffer {
  let bytes = content;
  const structured = random() < 0.8;
  if (structured) {
    // In a list of its own, so that the whole document has a place too.
    const root: Tree[] = [treeOf(parseJson(content.toString(), 'corpus'))];
    for (let changes = oneOf(random, [1, 1, 1, 2, 3]); changes > 0; changes -= 1) changeTree(random, root);
    bytes = Buffer.from(textOf(root[0]));
  }
  if (structured && random() < 0.9) return bytes;
  for (let changes = 1 + below(random, 3); changes > 0; changes -= 1) bytes = changeBytes(random, bytes);
  return bytes;
}
