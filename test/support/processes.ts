import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Processes other than this one whose command line has a folder, and what else is named, among its arguments. */
export function processesOf(folder: string, ...others: readonly string[]): number[] {
  return readdirSync('/proc').flatMap((entry) => {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    try {
      const alive = !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${entry}/status`, 'utf8'));
      const given = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0');
      return alive && [folder, ...others].every((one) => given.includes(one)) ? [pid] : [];
    } catch {
      return [];
    }
  });
}

/** Long beyond any doubt: a test that waits so long has failed. */
const NEVER = 60_000;

/** Waits until a condition holds; fails the test when it never does. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const end = performance.now() + NEVER;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited in vain until ${what}`);
    await delay(10);
  }
}
