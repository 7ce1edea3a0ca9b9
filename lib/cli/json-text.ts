/** A result as JSON text; an integer beyond 2^53 is written as decimal text, for most readers would round it. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, (_key, one) => (typeof one === 'bigint' ? String(one) : one), indent);
}
