/** 1234567 -> '1,234,567', in any locale. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}

const UNITS: readonly [name: string, seconds: number][] = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
];

/** '0.4 s', '12 s', '3 min 05 s', '2 h 04 min', '11 d 03 h'. */
export function formatDuration(seconds: number): string {
  if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1)} s`;
  const rounded = seconds < 3_600 ? Math.round(seconds) : Math.round(seconds / 60) * 60;
  const index = UNITS.findIndex(([, size]) => rounded >= size);
  const [name, size] = UNITS[index];
  const whole = `${formatCount(Math.floor(rounded / size))} ${name}`;
  if (index === UNITS.length - 1) return whole;
  const [smallName, smallSize] = UNITS[index + 1];
  return `${whole} ${String(Math.floor((rounded % size) / smallSize)).padStart(2, '0')} ${smallName}`;
}

/** The time of a block: '35 µs', '1.2 ms', '120 ms', from a second on as {@link formatDuration}. */
export function formatTime(seconds: number): string {
  if (seconds >= 0.9995) return formatDuration(seconds);
  const [value, unit] = seconds >= 0.0009995 ? [seconds * 1e3, 'ms'] : [seconds * 1e6, 'µs'];
  return `${value >= 9.95 || value === 0 ? value.toFixed(0) : value.toFixed(1)} ${unit}`;
}

/** Blocks a second, or a minute or hour where that is easier to read: '1,234/s', '2.5/s', '18/min', '3.2/h'. */
export function formatRate(perSecond: number): string {
  const [rate, unit] =
    perSecond >= 1 || perSecond === 0
      ? [perSecond, 's']
      : perSecond >= 1 / 60
        ? [perSecond * 60, 'min']
        : [perSecond * 3600, 'h'];
  return `${rate >= 9.95 || rate === 0 ? formatCount(rate) : rate.toFixed(1)}/${unit}`;
}

/** '512 B', '1.5 KiB', '230 MiB'. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = bytes;
  let unit = 0;
  // Not 1024: 1023.6 KiB would read '1024 KiB'.
  while (value >= (unit === 0 ? 1024 : 1023.5) && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 9.95 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`;
}

/** '1 block', '2 blocks'. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

const TERMINAL_COMMANDS = /\p{Cc}\[[0-9;?]*[A-Za-z]/gu;
/** Control characters, and those that reverse the direction of writing. */
const UNPRINTABLE = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;

/**
 * The first line of a text that came from elsewhere, safe to print: without colours and control characters, which could
 * move the cursor, and at most `width` characters.
 */
export function firstLine(text: string, width = 400): string {
  const line = text
    .trimStart()
    .split(/[\r\n\u2028\u2029]/, 1)[0]
    .replace(TERMINAL_COMMANDS, '')
    .replace(UNPRINTABLE, ' ')
    .trimEnd();
  return shorten(line, width);
}

export function shorten(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** A table of plain text: the first column and those named in `left` flush left, the others flush right. */
export function alignColumns(rows: readonly (readonly string[])[], left: readonly number[] = [0]): string[] {
  const widths = rows.reduce<number[]>(
    (found, row) => row.map((cell, column) => Math.max(found[column] ?? 0, cell.length)),
    [],
  );
  return rows.map((row) =>
    row
      .map((cell, column) => (left.includes(column) ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join('  ')
      .trimEnd(),
  );
}
