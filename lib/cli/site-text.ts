import type { Finding, Verdict } from '../site/finding.js';
import type { Section } from '../site/site-check.js';
import { firstLine, plural, shorten } from './format.js';

const WORDS: Readonly<Record<Verdict, string>> = { good: 'good', doubtful: 'doubtful', wrong: 'WRONG', absent: '-' };
const MARGIN = 2;
const VERDICT_WIDTH = 8;
const LONGEST_NAME = 28;

/** What was found at a site, one line a finding, with what to do below those that are doubtful or wrong. */
export function siteText(sections: readonly Section[], width = 110): string {
  const findings = sections.flatMap((section) => section.findings);
  const nameWidth = Math.min(LONGEST_NAME, Math.max(0, ...findings.map(({ what }) => what.length)));
  const lines = sections.flatMap(({ subject, findings: own }) =>
    own.length === 0
      ? []
      : [firstLine(subject), ...own.flatMap((finding) => findingLines(finding, nameWidth, width)), ''],
  );
  return [...lines, verdictLine(findings)].join('\n');
}

function findingLines({ what, verdict, found, advice }: Finding, nameWidth: number, width: number): string[] {
  const begin = `${' '.repeat(MARGIN)}${WORDS[verdict].padEnd(VERDICT_WIDTH)}  ${shorten(firstLine(what), nameWidth).padEnd(nameWidth)}  `;
  const [first, ...rest] = wrap(firstLine(found), width - begin.length);
  const indent = ' '.repeat(begin.length);
  const todo = advice === undefined ? [] : wrap(firstLine(advice), width - begin.length - 3);
  return [
    begin + first,
    ...rest.map((line) => indent + line),
    ...todo.map((line, i) => `${indent}${i === 0 ? '-> ' : '   '}${line}`),
  ];
}

/** Lines of at most so many characters, cut at spaces where there are some. */
function wrap(text: string, width: number): string[] {
  const room = Math.max(30, width);
  const lines: string[] = [];
  let rest = text;
  while (rest.length > room) {
    const space = rest.lastIndexOf(' ', room);
    const end = space > 0 ? space : room;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...lines, rest];
}

function verdictLine(findings: readonly Finding[]): string {
  const count = (verdict: Verdict) => findings.filter((finding) => finding.verdict === verdict).length;
  const [bad, unsure] = [count('wrong'), count('doubtful')];
  const all = plural(findings.length, 'finding');
  if (bad + unsure === 0) return `good: nothing is wrong or doubtful among ${all}`;
  const doubt = unsure === 0 ? '' : `${unsure} doubtful`;
  return bad === 0
    ? `good enough: nothing is wrong, ${doubt}, of ${all}`
    : `wrong: ${[`${bad} wrong`, doubt].filter(Boolean).join(', ')}, of ${all}`;
}
