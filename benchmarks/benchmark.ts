import type { Row } from './row.js';

export interface BenchmarkOptions {
  /** Names of sizes to run, of those that the benchmark knows. */
  readonly sizes: readonly string[];
  /** Tiny inputs and one repetition: shows that everything works, says nothing about speed. */
  readonly smoke: boolean;
  /** Runs of each side. */
  readonly repetitions: number;
  /** Threads of our kernels; the references use one. */
  readonly threads: number;
  /** Only cases whose name contains this. */
  readonly only: string;
  /** False: do not run the reference even if it is there. */
  readonly reference: boolean;
  /** An empty folder for inputs and results, removed afterwards. */
  readonly folder: string;
  /** Tells a person what is going on. */
  readonly say: (text: string) => void;
}

export interface Benchmark {
  readonly name: string;
  /** What is measured, in a line. */
  readonly description: string;
  /** Sizes by name, with what they are. */
  readonly sizes: Readonly<Record<string, string>>;
  /** Those that run when no size is asked for. */
  readonly defaultSizes: readonly string[];
  rows(options: BenchmarkOptions): AsyncGenerator<Row>;
}

/** Our side of a case, in a process of its own: what side.ts serves. */
export interface OurSide {
  /** Makes ready for a run; not timed. */
  prepare?(): Promise<void>;
  /** The computation, and nothing else: its duration is the result. What it returns besides `result` goes into the answer. */
  run(): Promise<{ readonly result: unknown; readonly [extra: string]: unknown }>;
  /** Writes a result of `run` as .npy files into `folder`. */
  write?(result: unknown, folder: string): void;
}

/** What a benchmark module exports for ours.ts: loads the input that `settings` names. */
export type MakeOurSide = (settings: unknown) => Promise<OurSide>;
