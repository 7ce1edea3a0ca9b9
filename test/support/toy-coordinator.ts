import { toyChain, toyRun } from './toy-run.js';

/**
 * A coordinator in a process of its own, to be killed or stopped: `toy-coordinator.js RUN OUTPUT MILLISECONDS [SIZE]`.
 * Prints the result as JSON.
 */
const [run, output, milliseconds, size = '3'] = process.argv.slice(2);
const abort = new AbortController();
process.on('SIGINT', () => abort.abort());
try {
  const toys = toyChain(Array<number>(3).fill(Number(size)), Number(milliseconds));
  const result = await toyRun({ run, output }, toys, { workers: 3, maxLosses: 100, signal: abort.signal });
  console.log(JSON.stringify(result));
} catch (error) {
  console.log(JSON.stringify(error), String(error));
  process.exitCode = 2;
}
