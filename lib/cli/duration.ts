const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds of a text like 90s, 30m, 2h or 1.5d. Throws where it is another. */
export function parseDuration(text: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * (UNITS[unit] ?? Number.NaN);
  if (!(seconds > 0)) throw new Error(`--deadline: expected a time like 90s, 30m, 2h or 1.5d, found ${text}`);
  return seconds;
}
