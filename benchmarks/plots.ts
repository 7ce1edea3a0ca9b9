import { type Row, significant } from './row.js';
import { LogScale, line, round, svg, text, tickText } from './svg.js';

export interface Plot {
  readonly svg: string;
  /** What it shows, for those who do not see it. */
  readonly alt: string;
}

const WIDTH = 860;

/** How many times faster than the reference each case is, a pair of bars a case; undefined without references. */
export function ratioPlot(bench: string, rows: readonly Row[]): Plot | undefined {
  const shown = rows.filter((row) => row.ratio !== null && row.ratio > 0);
  if (shown.length === 0) return undefined;
  const longest = Math.max(...shown.flatMap((row) => [row.case.length, 0.85 * `beside ${row.referenceName}`.length]));
  // letters are about 7 pixels wide
  const left = Math.round(Math.max(200, Math.min(440, 26 + 7 * longest)));
  const [right, top, step] = [90, 46, 38];
  const height = top + shown.length * step + 34;
  const bars = shown.map((row) => [row.ratio as number, row.cpuRatio ?? 0] as const);
  const scale = new LogScale([1, ...bars.flat()], left, WIDTH - right);
  const bottom = top + shown.length * step;
  const one = scale.at(1);
  const body = [
    text(12, 20, `${bench}: how many times faster than the reference`, 'title'),
    `<rect x="${left}" y="30" width="12" height="9" class="ours"/>`,
    text(left + 18, 39, 'wall time', 'small soft'),
    `<rect x="${left + 90}" y="30" width="12" height="9" class="cpu"/>`,
    text(left + 108, 39, 'CPU seconds', 'small soft'),
    ...scale.ticks().flatMap((tick) => {
      const x = scale.at(tick);
      return [line(x, top, x, bottom, 'grid'), text(x, bottom + 16, `${tickText(tick)}x`, 'small soft', 'middle')];
    }),
    line(one, top, one, bottom, 'one'),
    ...shown.flatMap((row, index) => {
      const y = top + index * step;
      const [ratio, cpu] = bars[index];
      const ends = [ratio, cpu].filter((value) => value > 0).map((value) => scale.at(value));
      return [
        text(12, y + 16, row.case),
        text(12, y + 30, `beside ${row.referenceName}`, 'small soft'),
        bar(one, scale.at(ratio), y + 6, 14, 'ours'),
        ...(cpu > 0 ? [bar(one, scale.at(cpu), y + 22, 8, 'cpu')] : []),
        text(Math.max(one, ...ends) + 6, y + 18, `${significant(ratio)}x`),
      ];
    }),
  ];
  const list = shown.map((row) => `${row.case} beside ${row.referenceName} ${significant(row.ratio)}x`).join('; ');
  const alt = `Bars on a logarithmic axis: how many times faster than the reference ${bench} is. ${list}.`;
  return { svg: svg(WIDTH, height, `${bench}: ratios`, alt, body), alt };
}

function bar(from: number, to: number, y: number, height: number, kind: string): string {
  const width = Math.max(1, Math.abs(to - from));
  return `<rect x="${round(Math.min(from, to))}" y="${y}" width="${round(width)}" height="${height}" rx="2" class="${kind}"/>`;
}

/** The first size of a case's name: 128^3, 1e6, 64 x 64. */
const SIZE = /\b(?:\d+(?: x \d+)+|\d+\^\d|\d+e\d+)\b,?/;

/** Rows of cases that differ in their size alone, beside one reference. */
export interface Series {
  /** What their names have in common. */
  readonly name: string;
  readonly reference: string;
  readonly rows: readonly Row[];
}

export function seriesOf(rows: readonly Row[]): Series[] {
  const found = new Map<string, { name: string; reference: string; rows: Row[] }>();
  for (const row of rows) {
    const name = row.case.replace(SIZE, '').replace(/\s+/g, ' ').trim() || row.bench;
    // 'daisy 2 processes (1e5 blocks)' is one series with the others: its rate stands at our count
    const reference = row.referenceName.replace(/ \(\d+e\d+ [a-z]+\)$/, '');
    const key = JSON.stringify([name, reference]);
    const series = found.get(key) ?? { name, reference, rows: [] };
    series.rows.push(row);
    found.set(key, series);
  }
  return [...found.values()].filter((one) => new Set(one.rows.map(({ items }) => items)).size > 1);
}

const PANEL = { width: 280, height: 204, left: 48, right: 16, top: 48, bottom: 30 };
const PANELS_A_ROW = 3;

/** Rates over sizes, a panel a series, all with the same axes; undefined where no case has two sizes. */
export function growthPlot(bench: string, rows: readonly Row[]): Plot | undefined {
  const series = seriesOf(rows);
  if (series.length === 0) return undefined;
  const all = series.flatMap((one) => one.rows);
  const height = 56 + Math.ceil(series.length / PANELS_A_ROW) * PANEL.height;
  const body = [
    text(12, 20, `${bench}: ${all[0].unit} over the size of the input (both axes logarithmic)`, 'title'),
    line(14, 36, 40, 36, 'ours line'),
    text(46, 40, 'ours', 'small soft'),
    line(94, 36, 120, 36, 'other line dashed'),
    text(126, 40, 'the reference', 'small soft'),
    ...series.flatMap((one, index) => {
      const x = 12 + (index % PANELS_A_ROW) * PANEL.width;
      const y = 48 + Math.floor(index / PANELS_A_ROW) * PANEL.height;
      return panel(one, all, x, y);
    }),
  ];
  const list = series.map(({ name, reference, rows: members }) => {
    const sorted = [...members].sort((a, b) => a.items - b.items);
    return `${name}, beside ${reference}: ours from ${significant(sorted[0].ours)} to ${significant(sorted[sorted.length - 1].ours)} ${sorted[0].unit}`;
  });
  const alt = `Rates over the size of the input, ours and the reference's, both axes logarithmic. ${list.join('; ')}.`;
  return { svg: svg(WIDTH, height, `${bench}: growth`, alt, body), alt };
}

function panel({ name, reference, rows }: Series, all: readonly Row[], left: number, top: number): string[] {
  const [x0, x1] = [left + PANEL.left, left + PANEL.width - PANEL.right];
  const [y0, y1] = [top + PANEL.height - PANEL.bottom, top + PANEL.top];
  const items = all.map((row) => row.items);
  const sizes = new LogScale(items, x0, x1);
  const rates = new LogScale(
    all.flatMap((row) => [row.ours, row.reference ?? row.ours]),
    y0,
    y1,
  );
  const curve = (points: readonly (readonly [number, number])[], kind: string, dash = '') => {
    const sorted = points.map(([size, rate]) => [sizes.at(size), rates.at(rate)] as const).sort((a, b) => a[0] - b[0]);
    const path = sorted.map(([x, y]) => `${round(x)},${round(y)}`).join(' ');
    return [
      `<polyline points="${path}" class="${kind} line${dash}" style="fill: none"/>`,
      ...sorted.map(([x, y]) => `<circle cx="${round(x)}" cy="${round(y)}" r="3" class="${kind}"/>`),
    ];
  };
  const beside = rows.flatMap((row) => (row.reference === null ? [] : [[row.items, row.reference] as const]));
  return [
    text(x0, top + 22, name, 'small title'),
    text(x0, top + 37, `beside ${reference}`, 'small soft'),
    ...rates.ticks().flatMap((tick) => {
      const y = rates.at(tick);
      return [line(x0, y, x1, y, 'grid'), text(x0 - 6, y + 4, tickText(tick), 'small soft', 'end')];
    }),
    ...sizes.ticks().flatMap((tick) => {
      const x = sizes.at(tick);
      return [line(x, y0, x, y0 + 4, 'grid'), text(x, y0 + 17, tickText(tick), 'small soft', 'middle')];
    }),
    ...curve(beside, 'other', ' dashed'),
    ...curve(
      rows.map((row) => [row.items, row.ours] as const),
      'ours',
    ),
  ];
}
