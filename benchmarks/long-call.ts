/** How a call is made: as the functions' own options are. */
export interface CallOptions {
  readonly threads: number;
  readonly signal?: AbortSignal;
}

/** A call that takes long, with its input in memory. */
export interface LongCall {
  /** Gives the input back its first content, where a call changes it. */
  prepare?(): void;
  run(options: CallOptions): Promise<unknown>;
}

export interface CancellationCase {
  /** The function of the addon. */
  readonly native: string;
  /** What it works on. */
  readonly name: string;
  /** Voxels, edges or rows for each voxel of a size. */
  readonly part: number;
  readonly threaded: boolean;
  make(count: number, folder: string): Promise<LongCall>;
}
