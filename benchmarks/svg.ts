/** Colours of both sides and of the rest, for light and dark pages; they differ in lightness, too. */
const STYLE = `
    text { font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #1f2328; }
    .small { font-size: 11px; } .soft { fill: #59636e; } .title { font-weight: 600; }
    .grid { stroke: #d1d9e0; } .one { stroke: #59636e; stroke-width: 1.5; }
    .ours { fill: #0b62c4; stroke: #0b62c4; } .other { fill: #c2570c; stroke: #c2570c; } .cpu { fill: #7fb2ea; stroke: none; }
    .line { fill: none; stroke-width: 2; } .dashed { stroke-dasharray: 6 4; } rect { stroke: none; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; } .soft { fill: #9da7b3; } .grid { stroke: #3d444d; } .one { stroke: #9da7b3; }
      .ours { fill: #58a6ff; stroke: #58a6ff; } .other { fill: #f0883e; stroke: #f0883e; } .cpu { fill: #2a5f9e; stroke: none; }
    }`;

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** A whole picture; its description is what a screen reader says. */
export function svg(
  width: number,
  height: number,
  title: string,
  description: string,
  body: readonly string[],
): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title description">
  <title id="title">${escapeXml(title)}</title>
  <desc id="description">${escapeXml(description)}</desc>
  <style>${STYLE}
  </style>
${body.map((line) => `  ${line}`).join('\n')}
</svg>
`;
}

export function text(
  x: number,
  y: number,
  content: string,
  kind = '',
  anchor: 'start' | 'middle' | 'end' = 'start',
): string {
  const attributes = `${kind === '' ? '' : ` class="${kind}"`}${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}`;
  return `<text x="${round(x)}" y="${round(y)}"${attributes}>${escapeXml(content)}</text>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, kind: string): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" class="${kind}"/>`;
}

/** Two decimals: files stay small, and equal for equal figures. */
export function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** A logarithmic axis from `from` to `to` pixels. */
export class LogScale {
  readonly low: number;
  readonly high: number;

  constructor(
    values: readonly number[],
    private readonly from: number,
    private readonly to: number,
  ) {
    const positive = values.filter((value) => value > 0 && Number.isFinite(value));
    this.low = Math.min(...positive) / 1.15;
    this.high = Math.max(...positive) * 1.15;
  }

  at(value: number): number {
    const part = Math.log(value / this.low) / Math.log(this.high / this.low);
    return this.from + part * (this.to - this.from);
  }

  /** 1, 2, 5, 10, ... inside the axis; where that makes many, powers of ten; where it makes one or none, finer ones. */
  ticks(): number[] {
    const first = Math.floor(Math.log10(this.low));
    const last = Math.ceil(Math.log10(this.high));
    const powers = Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index));
    const inside = (steps: readonly number[]) =>
      powers
        .flatMap((power) => steps.map((step) => Number((power * step).toPrecision(3))))
        .filter((tick) => tick >= this.low && tick <= this.high);
    const choices = [[1], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 4, 5, 6, 8]].map(inside);
    return choices.find((ticks) => ticks.length >= 3) ?? choices[choices.length - 1];
  }
}

/** 0.5, 20, 3k, 4M: the number at a tick. */
export function tickText(value: number): string {
  const units: readonly (readonly [number, string])[] = [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ];
  const [size, unit] = units.find(([least]) => value >= least) ?? [1, ''];
  return `${Number((value / size).toPrecision(3))}${unit}`;
}
