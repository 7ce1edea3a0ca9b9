import { firstWords } from './answer-text.js';
import type { Ask } from './command-answer.js';
import { doubtful, type Finding, good, wrong } from './finding.js';

/** 90 -> '1 h 30 min'; undefined -> 'without limit'. */
export function minutesText(minutes: number | undefined): string {
  if (minutes === undefined) return 'without limit';
  const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60), minutes % 60];
  const parts = [days > 0 ? `${days} d` : '', hours > 0 ? `${hours} h` : '', rest > 0 ? `${rest} min` : ''];
  return parts.filter((part) => part !== '').join(' ') || '0 min';
}

/** Asks commands for their versions: one line when all say the same, else what each says. Missing ones are left out. */
export async function versionFindings(
  ask: Ask,
  commands: readonly string[],
  option: string,
  pattern: RegExp,
): Promise<{ findings: Finding[]; version: string }> {
  const found = new Map<string, string[]>();
  const findings: Finding[] = [];
  for (const command of commands) {
    const { outcome, out, error } = await ask(command, option);
    if (outcome === 'missing') continue;
    // LSF prints it on the error stream
    const version = pattern.exec(`${out}\n${error}`)?.[1];
    if (outcome !== 'answered' && version === undefined) {
      findings.push(wrong(command, firstWords(error), `Try it: ${command} ${option}`));
    } else if (version === undefined) {
      const advice = `Try it: ${command} ${option}; another program of that name may come first in PATH`;
      findings.push(doubtful(command, `an answer that is not understood: ${firstWords(out || error)}`, advice));
    } else found.set(version, [...(found.get(version) ?? []), command]);
  }
  const versions = [...found];
  const text = versions.map(([version, names]) => `${names.join(', ')}: ${version}`).join('; ');
  if (versions.length === 1) findings.unshift(good('commands', text));
  if (versions.length > 1) {
    findings.unshift(doubtful('commands', text, 'They are of several versions; clear PATH of the others'));
  }
  return { findings, version: versions[0]?.[0] ?? '' };
}
