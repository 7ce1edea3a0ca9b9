import { createInterface } from 'node:readline';
import type { OurSide } from './benchmark.js';
import { beginPeak, cpuSeconds, endPeak } from './resources.js';

/** What one run cost. Further fields come from the side itself. */
export interface Cost {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakBytes: number | null;
  readonly [extra: string]: unknown;
}

/**
 * Answers requests on standard input until it ends, a line of JSON each: {"do": "run"} with what the run cost, and
 * {"do": "write", "folder"} after the last result was written. The same in Python: reference/side.py.
 */
export async function serve(side: OurSide): Promise<void> {
  const answer = (record: object) => process.stdout.write(`${JSON.stringify(record)}\n`);
  let last: unknown;
  answer({ ready: true });
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line) as { do: string; folder?: string };
    if (request.do === 'run') {
      last = undefined;
      await side.prepare?.();
      const before = beginPeak();
      // what it collected goes back to where it came from in turns of the event loop
      for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
      const cpu = cpuSeconds();
      const began = process.hrtime.bigint();
      const { result, ...extra } = await side.run();
      const seconds = Number(process.hrtime.bigint() - began) / 1e9;
      const cost: Cost = { seconds, cpuSeconds: cpuSeconds() - cpu, peakBytes: endPeak(before), ...extra };
      last = result;
      answer(cost);
    } else {
      side.write?.(last, request.folder as string);
      answer({ written: true });
    }
  }
}
