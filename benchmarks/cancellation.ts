// How soon native functions end when they are told to: node --expose-gc dist/benchmarks/cancellation.js [--size VOXELS]
// [--threads 1,2] [--only TEXT] [--stops N] [--json]. See benchmarks/README.md, "Cancellation".
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { codeOf } from '../lib/errors.js';
import { cancellationCases } from './cancellation-cases.js';
import type { CancellationCase, LongCall } from './long-call.js';

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: String(1 << 24) },
    threads: { type: 'string', default: '1,2' },
    only: { type: 'string', default: '' },
    stops: { type: 'string', default: '12' },
    json: { type: 'boolean', default: false },
  },
});

interface Latency {
  readonly native: string;
  readonly name: string;
  readonly threads: number;
  /** Of the whole call. */
  readonly seconds: number;
  /** The longest time for which nothing else could run in JavaScript while it was at work, milliseconds. */
  readonly blocked: number;
  /** How many of the stops came in time. */
  readonly stopped: number;
  /** From the abort to the rejection, milliseconds: the longest, and when in the call it was (0 to 1). */
  readonly longest: number;
  readonly at: number;
  /** The most milliseconds of processor time that the process took from an abort to the rejection: steady on a busy machine. */
  readonly cpu: number;
  /** Growth of the process's memory by all stopped calls, MB. */
  readonly grown: number;
}

interface Stopped {
  /** From the abort to the end, milliseconds. */
  readonly latency: number;
  readonly cpu: number;
}

/** Undefined where the call ended before it was told to. */
async function stop(call: LongCall, threads: number, after: number): Promise<Stopped | undefined> {
  const controller = new AbortController();
  let aborted = 0;
  let cpu: NodeJS.CpuUsage | undefined;
  call.prepare?.();
  const work = call.run({ threads, signal: controller.signal }).then(
    () => undefined,
    (error: unknown) => {
      if (codeOf(error) !== 'ERR_CANCELLED') throw error;
      const { user, system } = process.cpuUsage(cpu);
      return { latency: performance.now() - aborted, cpu: (user + system) / 1000 };
    },
  );
  await Promise.race([wait(after), work]);
  aborted = performance.now();
  cpu = process.cpuUsage();
  controller.abort();
  return work;
}

async function measure(chosen: CancellationCase, call: LongCall, threads: number, stops: number): Promise<Latency> {
  call.prepare?.();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await turn();
  delay.reset();
  const began = performance.now();
  await call.run({ threads });
  const milliseconds = performance.now() - began;
  await wait(5);
  delay.disable();
  globalThis.gc?.();
  const memory = process.memoryUsage().rss;
  let longest = 0;
  let at = 0;
  let stopped = 0;
  let cpu = 0;
  for (let index = 0; index < stops; index++) {
    const fraction = (index + 0.5) / stops;
    const found = await stop(call, threads, fraction * milliseconds);
    if (found === undefined) continue;
    stopped++;
    cpu = Math.max(cpu, found.cpu);
    if (found.latency > longest) [longest, at] = [found.latency, fraction];
  }
  globalThis.gc?.();
  await turn();
  const grown = (process.memoryUsage().rss - memory) / 1e6;
  const { native, name } = chosen;
  return {
    native,
    name,
    threads,
    seconds: milliseconds / 1000,
    blocked: delay.max / 1e6,
    stopped,
    longest,
    at,
    cpu,
    grown,
  };
}

const size = Number(values.size);
const stops = Number(values.stops);
const folder = mkdtempSync(join(tmpdir(), 'blockwright-cancellation-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
if (!values.json) {
  console.log(
    '| function | input | threads | whole call, s | event loop held, ms | stops in time | longest to the end, ms | when | most CPU to the end, ms | memory grown, MB |',
  );
  console.log('|---|---|---|---|---|---|---|---|---|---|');
}
for (const chosen of cancellationCases) {
  if (!`${chosen.native} ${chosen.name}`.includes(values.only)) continue;
  const call = await chosen.make(Math.ceil(chosen.part * size), folder);
  for (const threads of chosen.threaded ? values.threads.split(',').map(Number) : [1]) {
    const found = await measure(chosen, call, threads, stops);
    const { native, name, seconds, blocked, stopped, longest, at, cpu, grown } = found;
    console.log(
      values.json
        ? JSON.stringify(found)
        : `| ${native} | ${name} | ${threads} | ${seconds.toFixed(2)} | ${blocked.toFixed(0)} | ${stopped} of ${stops} | ${longest.toFixed(0)} | ${at.toFixed(2)} | ${cpu.toFixed(0)} | ${grown.toFixed(0)} |`,
    );
  }
}
