/** A result as JSON text; an integer beyond 2^53 is written as decimal text, for most readers would round it, and NaN as 'NaN'. */
export function jsonText(value: unknown, indent?: number): string {
  const shown = (one: unknown) => typeof one === 'bigint' || (typeof one === 'number' && !Number.isFinite(one));
  return JSON.stringify(value, (_key, one) => (shown(one) ? String(one) : one), indent);
}
