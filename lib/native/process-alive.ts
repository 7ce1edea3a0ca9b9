import { readFileSync } from 'node:fs';
import { codeOf } from '../errors.js';

/**
 * Whether a process of this machine runs, by its number alone. The remains of one that nobody has waited for (a zombie: for a
 * second under a slow init, for good in a container without one) do not.
 */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may hold anything.
    return !/^[ZX]/.test(status.slice(status.lastIndexOf(')') + 2));
  } catch {
    return true;
  }
}
