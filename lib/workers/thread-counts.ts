/** The variables that the common libraries read; libuv's pool also does file input and output, so it is never smaller than its default. */
export function threadCounts(threads: number): Record<string, string> {
  const names = ['OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS', 'NUMEXPR_NUM_THREADS', 'BLOSC_NTHREADS'];
  const counts = Object.fromEntries(names.map((name) => [name, String(threads)]));
  return { ...counts, UV_THREADPOOL_SIZE: String(Math.max(4, threads)) };
}
