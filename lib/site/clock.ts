import { doubtful, type Finding, good, wrong } from './finding.js';
import { readSystemText } from './read-text.js';
import type { SiteCheck } from './site-check.js';

const SAMPLES = 20_000;

/** The clock that leases and heartbeats are measured with. What the time of day and the time zone are does not matter. */
export const clockCheck: SiteCheck = {
  subject: 'clock',
  look: async () => {
    const samples = Array.from({ length: SAMPLES }, () => process.hrtime.bigint());
    const source = readSystemText('/sys/devices/system/clocksource/clocksource0/current_clocksource')?.trim();
    return { findings: [monotonicFinding(samples, source)] };
  },
};

/** @param samples of a clock that should never go back, in nanoseconds, in the order in which they were taken */
export function monotonicFinding(samples: readonly bigint[], source?: string): Finding {
  const what = 'monotonic clock';
  const back = samples.findIndex((sample, i) => i > 0 && sample < samples[i - 1]);
  if (back >= 0) {
    const by = samples[back - 1] - samples[back];
    return wrong(what, `went back by ${by} ns`, 'Use another machine: leases and time-outs cannot be measured here');
  }
  const each = Number(samples[samples.length - 1] - samples[0]) / (samples.length - 1);
  const found = `never went back in ${samples.length} readings, ${each.toFixed(0)} ns each${source ? ` (${source})` : ''}`;
  if (each < 5_000) return good(what, found);
  return doubtful(
    what,
    found,
    'Reading the clock is slow here; choose another clock source where you can (tsc, kvm-clock)',
  );
}
