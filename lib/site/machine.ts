import { availableParallelism, cpus, freemem, hostname, release, totalmem } from 'node:os';
import { type GroupLimits, groupLimits } from './cgroup.js';
import { doubtful, type Finding, good } from './finding.js';
import { limitFindings } from './process-limits.js';
import { type ReadText, readSystemText } from './read-text.js';
import type { SiteCheck } from './site-check.js';

const GIB = 1024 ** 3;

/** What the machine has, and what this process may use of it. */
export interface Machine {
  readonly processors: number;
  /** That this process may run on. */
  readonly allowed: number;
  /** Bytes. */
  readonly memory: number;
  /** Bytes that are free or can be freed. */
  readonly available: number;
  readonly limits: GroupLimits;
}

/** Processors, memory, limits of processes, with those of containers and batch jobs. */
export const machineCheck: SiteCheck = {
  subject: 'machine',
  look: async () => {
    const machine = readMachine(readSystemText);
    const system = good('system', `${hostname()}: ${process.platform} ${release()}`);
    const findings = [system, processorsFinding(machine), memoryFinding(machine)];
    return {
      findings: [...findings, ...limitFindings(readSystemText('/proc/self/limits') ?? '', machine.limits.processes)],
      facts: { processors: usableProcessors(machine), memory: usableMemory(machine) },
    };
  },
};

export function readMachine(read: ReadText): Machine {
  const kibibytes = /^MemAvailable:\s+(\d+) kB$/m.exec(read('/proc/meminfo') ?? '')?.[1];
  return {
    processors: cpus().length,
    allowed: availableParallelism(),
    memory: totalmem(),
    available: kibibytes === undefined ? freemem() : Number(kibibytes) * 1024,
    limits: groupLimits(read),
  };
}

const usableProcessors = ({ allowed, limits }: Machine) =>
  Math.max(1, Math.floor(Math.min(allowed, limits.processors ?? allowed)));
const usableMemory = ({ memory, limits }: Machine) => Math.min(memory, limits.memory ?? memory);

export function processorsFinding(machine: Machine): Finding {
  const { processors, allowed, limits } = machine;
  const affinity = allowed < processors ? `, ${allowed} of them for this process` : '';
  const found = `${processors}${affinity}`;
  if (limits.processors === undefined || limits.processors >= allowed) return good('processors', found);
  return doubtful(
    'processors',
    `${found}; its group (container, job) gets the time of ${limits.processors.toFixed(1)}`,
    `Set workers: ${usableProcessors(machine)} of the executor: the default counts processors, not their time`,
  );
}

export function memoryFinding(machine: Machine): Finding {
  const { memory, available, limits } = machine;
  const usable = usableMemory(machine);
  const limit =
    limits.memory === undefined || limits.memory >= memory
      ? ''
      : `; limit of its group (container, job): ${gibibytes(limits.memory)}`;
  const found = `${gibibytes(memory)}, ${gibibytes(available)} available${limit}`;
  const workers = usableProcessors(machine);
  if (usable / workers >= GIB) return good('memory', found);
  return doubtful(
    'memory',
    `${found}: less than 1 GiB for each of ${workers} workers`,
    'Start fewer workers, or take smaller blocks',
  );
}

const gibibytes = (bytes: number) => `${(bytes / GIB).toFixed(1)} GiB`;
