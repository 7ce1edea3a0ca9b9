import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** Clock ticks a second of /proc: 100 on every Linux that Node runs on. */
const TICKS = 100;

/** User + system seconds of this process, all threads, and of its child processes that have ended. */
export function cpuSeconds(): number {
  const own = process.cpuUsage();
  return (own.user + own.system) / 1e6 + endedChildrenSeconds();
}

function endedChildrenSeconds(): number {
  try {
    const text = readFileSync('/proc/self/stat', 'utf8');
    // The command may contain blanks; after its closing bracket come state, ppid, ...: cutime and cstime are 13 and 14 on.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[13]) + Number(fields[14])) / TICKS;
  } catch {
    return 0;
  }
}

/** Seconds that all processors of the machine have been busy, those that a host took for itself included; null where the system does not tell. */
export function machineCpuSeconds(): number | null {
  try {
    // cpu user nice system idle iowait irq softirq steal; time of guests is in user and nice
    const [user, nice, system, , , irq, softirq, steal] = readFileSync('/proc/stat', 'utf8')
      .split('\n', 1)[0]
      .split(/\s+/)
      .slice(1)
      .map(Number);
    return (user + nice + system + irq + softirq + steal) / TICKS;
  } catch {
    return null;
  }
}

function statusBytes(field: string): number | null {
  const found = new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status', 'utf8'));
  return found === null ? null : Number(found[1]) * 1024;
}

/** Forgets the highest resident size so far; returns the current one, or null where the system does not tell. */
export function beginPeak(): number | null {
  (globalThis as { gc?: () => void }).gc?.();
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    return statusBytes('VmRSS');
  } catch {
    return null;
  }
}

/** Growth of the resident memory since `beginPeak` returned `before`, at its highest. */
export function endPeak(before: number | null): number | null {
  if (before === null) return null;
  const highest = statusBytes('VmHWM');
  return highest === null ? null : Math.max(0, highest - before);
}

function children(pid: number): number[] {
  const found: number[] = [];
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const text = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim();
      if (text !== '') found.push(...text.split(' ').map(Number));
    }
  } catch {
    // it has ended, or this system has no such file
  }
  return found;
}

function proportionalBytes(pid: number): number {
  try {
    const found = /^Pss:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
    return found === null ? 0 : Number(found[1]) * 1024;
  } catch {
    return 0;
  }
}

/** Proportional memory (shared pages split among their users) of a process and everything below it. */
function treeBytes(pid: number): number {
  let total = 0;
  const queue = [pid];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    total += proportionalBytes(next);
    queue.push(...children(next));
  }
  return total;
}

/** Samples the memory of a tree of processes; the function it returns stops and says the highest sum, null if unknown. */
export function sampleTree(pid: number, intervalMs = 50): () => number | null {
  let highest = treeBytes(pid);
  const timer = setInterval(() => {
    highest = Math.max(highest, treeBytes(pid));
  }, intervalMs);
  return () => {
    clearInterval(timer);
    return highest === 0 ? null : highest;
  };
}
