import type { Partition } from './site-facts.js';

/** `Name = value` lines of `scontrol show config`; empty when there are none. */
export function parseConfig(text: string): Map<string, string> {
  const rows = text.split('\n').flatMap((line) => {
    const match = /^(\w[\w/]*)\s+= (.*)$/.exec(line);
    return match === null ? [] : [[match[1], match[2].trim()] as const];
  });
  return new Map(rows);
}

/** '300 sec' -> 300, '1001' -> 1001; undefined for anything else. */
export function leadingNumber(text: string | undefined): number | undefined {
  const match = /^\d+/.exec(text ?? '');
  return match === null ? undefined : Number(match[0]);
}

/** What sinfo is asked for: one line a kind of nodes of a partition. */
export const SINFO_FORMAT = '%R|%P|%a|%l|%L|%D|%c|%m|%f|%G';

/**
 * The answer of `sinfo --noheader --format` {@link SINFO_FORMAT}, kinds of nodes put together; undefined when it is not
 * understood.
 */
export function parseSinfo(text: string): Partition[] | undefined {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const partitions = new Map<string, Partition>();
  for (const line of lines) {
    const cells = line.split('|').map((cell) => cell.trim());
    if (cells.length !== 10 || leadingNumber(cells[5]) === undefined) return undefined;
    const [name, shown, state, longest, usual, nodes, cpus, memory, features, gres] = cells;
    const before = partitions.get(name);
    partitions.set(name, {
      name,
      isDefault: shown.endsWith('*') && !name.endsWith('*'),
      isUp: state === 'up',
      maxMinutes: parseMinutes(longest),
      defaultMinutes: parseMinutes(usual),
      nodes: (before?.nodes ?? 0) + (leadingNumber(nodes) ?? 0),
      cpus: larger(before?.cpus, leadingNumber(cpus)),
      memory: larger(before?.memory, leadingNumber(memory)),
      features: union(before?.features, listed(features)),
      gres: union(before?.gres, listed(gres)),
    });
  }
  return [...partitions.values()];
}

/** SLURM's times ('30:00', '4:00:00', '1-00:00:00', '15') in minutes, rounded up; undefined for 'infinite', 'n/a' and others. */
export function parseMinutes(text: string): number | undefined {
  const match = /^(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?$/.exec(text);
  if (match === null) return undefined;
  const [, days, first, second, third] = match.map((part) => (part === undefined ? undefined : Number(part)));
  if (days !== undefined) return days * 1440 + first! * 60 + (second ?? 0) + Math.ceil((third ?? 0) / 60);
  if (third !== undefined) return first! * 60 + second! + Math.ceil(third / 60);
  return first! + Math.ceil((second ?? 0) / 60);
}

const larger = (a: number | undefined, b: number | undefined) => (a === undefined ? b : Math.max(a, b ?? 0));
const union = (a: readonly string[] = [], b: readonly string[]) => [...new Set([...a, ...b])];
/** 'a,b(S:0),(null)' -> a, b(S:0); commas inside parentheses are not ours. */
const listed = (text: string) =>
  text.split(/,(?![^(]*\))/).filter((one) => one !== '' && one !== '(null)' && one !== 'N/A');
