/**
 * What a row of a graph has for an attribute: a number, exactly (a bigint where it is an integer that a number would round), NaN
 * where it has none; text and bytes as the literals of SQL, `'it''s'` and `x'0aff'`, so that no two are the same.
 */
export type AttributeValue = number | bigint | string;

/** A value of SQLite, read with safe integers. */
export function attributeValue(value: unknown): AttributeValue {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
  return ArrayBuffer.isView(value) ? `x'${(value as Buffer).toString('hex')}'` : Number.NaN;
}

/** How far two values are apart, 0 only where they are equal; NaN where that is no number. */
export function distance(a: AttributeValue, b: AttributeValue): number {
  if (typeof a === 'number' && typeof b === 'number') return Math.abs(a - b);
  if (typeof a === 'string' || typeof b === 'string') return Number.NaN;
  if (!isWhole(a) || !isWhole(b)) return Math.abs(Number(a) - Number(b));
  const difference = BigInt(a) - BigInt(b);
  return Number(difference < 0n ? -difference : difference);
}

function isWhole(value: number | bigint): boolean {
  return typeof value === 'bigint' || Number.isInteger(value);
}
