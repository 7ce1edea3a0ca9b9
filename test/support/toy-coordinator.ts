import { toyChain, toyRun } from './toy-run.js';
import type { ToyTask } from './toy-worker.js';

/**
 * A coordinator in a process of its own, to be killed or stopped: `toy-coordinator.js RUN OUTPUT MILLISECONDS [ACT]`.
 * Prints the result as JSON.
 */
const [run, output, milliseconds, act] = process.argv.slice(2);
const abort = new AbortController();
process.on('SIGINT', () => abort.abort());
try {
  const chain = toyChain([3, 3, 3], Number(milliseconds));
  const toys = act === undefined ? chain : chain.map((toy) => ({ ...toy, act: act as ToyTask['act'] & string }));
  const result = await toyRun({ run, output }, toys, { workers: 3, maxLosses: 100, signal: abort.signal });
  console.log(JSON.stringify(result));
} catch (error) {
  console.log(JSON.stringify(error), String(error));
  process.exitCode = 2;
}
