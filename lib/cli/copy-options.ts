import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { isBlockwrightError, messageOf } from '../errors.js';
import type { CopyRequest } from '../pipeline/copy.js';
import { type Problem, problemsError } from '../pipeline/problem.js';

/** Reads '64,64,64'; each number at least `least`. */
export function parseNumbers(option: string, least: number) {
  return (text: string | undefined): readonly number[] | undefined => {
    if (text === undefined) return undefined;
    const numbers = readNumbers(text);
    if (numbers?.every((number) => number >= least)) return numbers;
    throw new Error(`${option}: expected whole numbers of at least ${least}, as in 64,64,64, found '${text}'`);
  };
}

/** Reads 'c^,z,y,x'. */
export function parseTexts(text: string | undefined): readonly string[] | undefined {
  return text?.split(',').map((part) => part.trim());
}

/** Reads 'offset:shape', as in '0,80,80:800,400,400'. */
export function parseRoi(text: string | undefined): CopyRequest['roi'] {
  if (text === undefined) return undefined;
  const [offset, shape, ...rest] = text.split(':').map(readNumbers);
  const isRoi = offset !== undefined && shape !== undefined && offset.length === shape.length && rest.length === 0;
  if (isRoi && shape.every((number) => number >= 1)) return { offset, shape };
  throw new Error(`--roi: expected offset and shape in world units, as in 0,80,80:800,400,400, found '${text}'`);
}

/** Reads 'none', 'zstd:3', 'gzip:5', 'blosc:lz4:5:bytes'; what is left out has its default. */
export function parseCompressor(text: string | undefined): CopyRequest['compressor'] {
  if (text === undefined) return undefined;
  const fail = () => {
    const expected = 'none, zstd|gzip|zlib[:LEVEL], lz4 or blosc[:NAME[:LEVEL[:none|bytes|bits]]]';
    return new Error(`--compressor: expected ${expected}, found '${text}'`);
  };
  const [name, ...rest] = text.split(':');
  const level = (value: string | undefined) => {
    if (value === undefined) return {};
    if (!/^-?\d+$/.test(value)) throw fail();
    return { level: Number(value) };
  };
  if ((name === 'none' || name === 'lz4') && rest.length === 0) return { name };
  if ((name === 'zstd' || name === 'gzip' || name === 'zlib') && rest.length <= 1) return { name, ...level(rest[0]) };
  if (name === 'blosc' && rest.length <= 3) {
    const [compressor, clevel, shuffle] = rest;
    const found = { name, ...(compressor === undefined ? {} : { compressor }), ...level(clevel) };
    // The pipeline's schema knows which compressors and shuffles there are.
    return {
      ...found,
      ...(shuffle === undefined ? {} : { shuffle: SHUFFLES[shuffle] ?? shuffle }),
    } as CopyRequest['compressor'];
  }
  throw fail();
}

/** zarr's own words for shuffles. */
const SHUFFLES: Readonly<Record<string, string>> = { noshuffle: 'none', shuffle: 'bytes', bitshuffle: 'bits' };

/** Options of the task that have other names on the command line. */
const OPTIONS: Readonly<Record<string, string>> = {
  chunkShape: '--chunks',
  shardShape: '--shards',
  compressor: '--compressor',
  zarrFormat: '--zarr-format',
  fillValue: '--fill',
  blockSize: '--block',
  roi: '--roi',
};

/** What is wrong with the pipeline of a copy, named by the options that it was made of. */
export function withOptions(error: unknown): unknown {
  const { code, details } = error as { code?: unknown; details?: { problems?: readonly Problem[] } };
  if (!isBlockwrightError(error) || code !== 'ERR_CONFIG' || details?.problems === undefined) return error;
  return problemsError(
    details.problems.map((problem) => {
      const option = /^tasks\.copy\.(\w+)/.exec(problem.key)?.[1] ?? '';
      return { ...problem, key: OPTIONS[option] ?? problem.key };
    }),
  );
}

function readNumbers(text: string): number[] | undefined {
  const parts = text.split(',').map((part) => part.trim());
  return parts.every((part) => /^-?\d{1,15}$/.test(part)) ? parts.map(Number) : undefined;
}

/** Reads a list of operations, or a single one, from the text itself or from the file that it names. */
export function parseOperations(text: string | undefined): readonly unknown[] | undefined {
  if (text === undefined) return undefined;
  const isInline = /^\s*[[{]/.test(text);
  try {
    const value: unknown = parse(isInline ? text : readFileSync(text, 'utf8'));
    if (typeof value === 'object' && value !== null) return Array.isArray(value) ? value : [value];
  } catch (error) {
    throw new Error(`--operations: ${messageOf(error)}`);
  }
  throw new Error(`--operations: expected a list of operations, found '${text}'`);
}
