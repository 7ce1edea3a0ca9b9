/** Bytes of a file that a request asks for: from `offset`, or the last ones. */
export type ByteRange = { readonly offset: number; readonly length: number } | { readonly suffixLength: number };

/** Reads a Range header as zarrita writes it; undefined when there is none. */
export function parseRange(header: string | null): ByteRange | undefined {
  const found = /^bytes=(\d*)-(\d+)$/.exec(header ?? '');
  if (found === null) return undefined;
  const [, first, last] = found;
  return first === ''
    ? { suffixLength: Number(last) }
    : { offset: Number(first), length: Number(last) - Number(first) + 1 };
}

/** Whether the part that a Content-Range header names, of `length` bytes, begins and ends as it was asked for. */
export function isPartOf(header: string | null, length: number, range: ByteRange): boolean {
  const found = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(header ?? '');
  if (found === null) return false;
  const [first, last, total] = [Number(found[1]), Number(found[2]), found[3] === '*' ? undefined : Number(found[3])];
  if (last - first + 1 !== length) return false;
  if ('suffixLength' in range) {
    return total === undefined ? length === range.suffixLength : last === total - 1 && length <= range.suffixLength;
  }
  return first === range.offset && length <= range.length && (length === range.length || last + 1 === total);
}
