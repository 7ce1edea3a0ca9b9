import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files that count the processes that the kernel ended for want of memory, the nearest first: of our control group, of the machine. */
function counterFiles(): string[] {
  const files: string[] = [];
  try {
    for (const line of readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n')) {
      const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      if (controllers === '') files.push(join('/sys/fs/cgroup', path, 'memory.events'));
      else if (controllers?.split(',').includes('memory') === true) {
        files.push(join('/sys/fs/cgroup/memory', path, 'memory.oom_control'));
      }
    }
  } catch {
    // not Linux
  }
  return [...files, '/proc/vmstat'];
}

/** How many processes the kernel has ended for want of memory; undefined where nothing tells. */
export function countMemoryKills(files: readonly string[] = counterFiles()): number | undefined {
  for (const file of files) {
    try {
      const [, count] = /^oom_kill (\d+)$/m.exec(readFileSync(file, 'utf8')) ?? [];
      if (count !== undefined) return Number(count);
    } catch {
      // the next one
    }
  }
  return undefined;
}

/**
 * Tells workers that the kernel ended for want of memory from those that somebody killed: the kernel counts the former. A count
 * that rose for a process that is none of ours can be taken for the next worker's that is killed.
 */
export class MemoryKills {
  private known: number | undefined;

  constructor(private readonly count: () => number | undefined = countMemoryKills) {
    this.known = count();
  }

  /** Whether a process that was ended by SIGKILL, and not by us, ran out of memory. */
  claim(): boolean {
    const now = this.count();
    if (now === undefined || this.known === undefined || now <= this.known) return false;
    this.known++;
    return true;
  }
}
