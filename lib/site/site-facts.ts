/** What was found, as data: for the profile. Each check gives its part. */
export interface SiteFacts {
  readonly processors?: number;
  /** Bytes that processes here may use together. */
  readonly memory?: number;
  readonly folder?: FolderFacts;
  readonly gpus?: readonly Gpu[];
  readonly listen?: Interface;
  readonly cluster?: ClusterFacts;
}

export interface FolderFacts {
  readonly path: string;
  /** As the system names it, e.g. 'ext4', 'nfs4'. */
  readonly fileSystem: string;
  readonly shared: boolean;
}

export interface Gpu {
  readonly name: string;
  readonly driver: string;
  /** MiB. */
  readonly memory: number;
}

/** A network interface and its address. */
export interface Interface {
  readonly name: string;
  readonly address: string;
}

export interface ClusterFacts {
  readonly type: 'slurm' | 'lsf';
  readonly version: string;
  /** Elements of one job array. */
  readonly maxArraySize?: number | undefined;
  /** Jobs that the cluster holds. */
  readonly maxJobCount?: number | undefined;
  readonly partitions: readonly Partition[];
}

/** A partition of SLURM, a queue of LSF. What the cluster does not tell is undefined. */
export interface Partition {
  readonly name: string;
  readonly isDefault: boolean;
  readonly isUp: boolean;
  /** Longest time of a job in minutes. */
  readonly maxMinutes?: number | undefined;
  /** What a job gets that asks for none. */
  readonly defaultMinutes?: number | undefined;
  readonly nodes?: number | undefined;
  /** Of its largest node. */
  readonly cpus?: number | undefined;
  /** MiB of its largest node. */
  readonly memory?: number | undefined;
  readonly features: readonly string[];
  /** Generic resources, e.g. 'gpu:a100:4'. */
  readonly gres: readonly string[];
}
