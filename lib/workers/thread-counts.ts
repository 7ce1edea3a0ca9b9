/** The variables that the common libraries read; libuv's pool also does file input and output, so it is never smaller than its default. */
export function threadCounts(threads: number): Record<string, string> {
  const names = ['OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS', 'NUMEXPR_NUM_THREADS', 'BLOSC_NTHREADS'];
  const counts = Object.fromEntries(names.map((name) => [name, String(threads)]));
  return { ...counts, UV_THREADPOOL_SIZE: String(Math.max(4, threads)) };
}

/** Threads that this process may use for a kernel: what its executor has told its libraries, else 1. The same bytes come out either way. */
export function kernelThreads(env: Readonly<Record<string, string | undefined>> = process.env): number {
  const threads = Number(env.OMP_NUM_THREADS ?? 1);
  return Number.isSafeInteger(threads) && threads >= 1 ? Math.min(threads, 1024) : 1;
}
