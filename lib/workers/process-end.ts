/**
 * Ends this process and those it started, at once, whatever kernel or loop is at work. For a worker whose coordinator is
 * gone: nobody waits for its results, and a later run must not meet it.
 */
export function endProcess(): never {
  try {
    // a worker leads its own process group
    process.kill(-process.pid, 'SIGKILL');
  } catch {
    process.kill(process.pid, 'SIGKILL');
  }
  throw new Error('unreachable');
}
