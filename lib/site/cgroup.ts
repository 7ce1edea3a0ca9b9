import { join, relative } from 'node:path';
import { type Mount, parseMounts } from './mounts.js';
import type { ReadText } from './read-text.js';

/** What groups of processes (containers, batch jobs) allow this one; undefined where they set no limit. */
export interface GroupLimits {
  /** Bytes. */
  readonly memory?: number | undefined;
  /** Processors' worth of time; may be a fraction. */
  readonly processors?: number | undefined;
  readonly processes?: number | undefined;
}

/** What version 1 says where there is no limit is some number about 2^63. */
const NO_LIMIT = 2 ** 60;

/** The limits of this process's groups and of those around them, of both versions of cgroups. */
export function groupLimits(read: ReadText): GroupLimits {
  const mounts = parseMounts(read('/proc/self/mountinfo') ?? '');
  const groups = parseGroups(read('/proc/self/cgroup') ?? '');
  const lowest = (controller: string, limit: (folder: string) => number | undefined) => {
    const found = foldersOf(controller, groups, mounts)
      .map(limit)
      .filter((value) => value !== undefined && Number.isFinite(value) && value > 0 && value < NO_LIMIT);
    return found.length === 0 ? undefined : Math.min(...(found as number[]));
  };
  const number = (path: string) => {
    const text = read(path)?.trim();
    return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
  };
  return {
    memory: lowest(
      'memory',
      (folder) => number(join(folder, 'memory.max')) ?? number(join(folder, 'memory.limit_in_bytes')),
    ),
    processors: lowest('cpu', (folder) => {
      const [quota, period] = (read(join(folder, 'cpu.max')) ?? '').trim().split(' ').map(Number);
      if (period > 0) return quota / period;
      const all = number(join(folder, 'cpu.cfs_quota_us'));
      const each = number(join(folder, 'cpu.cfs_period_us'));
      return all === undefined || each === undefined ? undefined : all / each;
    }),
    processes: lowest('pids', (folder) => number(join(folder, 'pids.max'))),
  };
}

interface Group {
  /** None in version 2. */
  readonly controllers: readonly string[];
  readonly path: string;
}

/** The lines of /proc/self/cgroup, e.g. '0::/user.slice' and '4:memory:/job'. */
export function parseGroups(text: string): Group[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\d+:([^:]*):(\/.*)$/.exec(line);
    return match === null ? [] : [{ controllers: match[1].split(',').filter((name) => name !== ''), path: match[2] }];
  });
}

/** The folders of this process's group and of those above it, in which the controller's files may be. */
function foldersOf(controller: string, groups: readonly Group[], mounts: readonly Mount[]): string[] {
  return mounts.flatMap((mount) => {
    const group =
      mount.type === 'cgroup2'
        ? groups.find(({ controllers }) => controllers.length === 0)
        : mount.type === 'cgroup' && mount.options.includes(controller)
          ? groups.find(({ controllers }) => controllers.includes(controller))
          : undefined;
    if (group === undefined) return [];
    const inside = relative(mount.root, group.path);
    // a container may see only its own part, as the root
    const parts = inside === '' || inside.startsWith('..') ? [] : inside.split('/');
    return Array.from({ length: parts.length + 1 }, (_, depth) => join(mount.point, ...parts.slice(0, depth)));
  });
}
