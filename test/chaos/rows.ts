/** Where the tests of one kind of fault are. */
export interface FaultTests {
  /** Below `test/`. */
  readonly file: string;
  /** Names of tests, as a regular expression. @default all of the file */
  readonly tests?: string;
}

/** One kind of fault, what must hold, and the tests that show it. */
export interface FaultRow {
  readonly fault: number;
  readonly what: string;
  readonly passes: string;
  readonly tests: readonly FaultTests[];
  /** What is not shown, if anything. */
  readonly missing?: string;
}

/** The same bytes as in a run that nothing disturbed, nothing computed twice, nothing left behind. */
const SAME = 'same bytes as undisturbed, every block done once, nothing left behind';

export const faultRows: readonly FaultRow[] = [
  {
    fault: 1,
    what: 'workers killed at random',
    passes: SAME,
    tests: [
      { file: 'coordinator/worker-faults', tests: 'killed \\d+ times at random' },
      { file: 'integration/kills', tests: 'kills of workers' },
    ],
  },
  {
    fault: 2,
    what: 'workers stopped, in an endless loop, hanging',
    passes: 'ended at the time limit, retried, the end of the run bounded, same bytes',
    tests: [
      { file: 'coordinator/worker-faults', tests: 'stand still|compute without end|hang in a block' },
      { file: 'workers/heartbeat' },
    ],
  },
  {
    fault: 3,
    what: 'coordinator killed at random, same command again',
    passes: 'same bytes, no acknowledged block computed again',
    tests: [
      { file: 'coordinator/coordinator-faults', tests: 'killed' },
      { file: 'integration/kills', tests: 'kills of workers and' },
    ],
  },
  {
    fault: 4,
    what: 'killed at a step of input or output: long form at every step',
    passes: SAME,
    tests: [
      { file: 'chaos/io-faults', tests: 'is killed' },
      { file: 'storage/faults', tests: 'killed' },
    ],
  },
  {
    fault: 5,
    what: 'EIO, ENOSPC, EMFILE, ESTALE, EINTR, short writes',
    passes:
      'the errno is named, nothing is cut, same bytes when it is over; EINTR and short writes are no failure, but a sync of SQLite that is interrupted fails as one by the disk does',
    tests: [
      { file: 'chaos/io-faults', tests: 'goes wrong' },
      { file: 'chaos/interrupted-region' },
      { file: 'storage/faults', tests: 'the system refuses' },
      { file: 'integration/faults', tests: 'a disk' },
      { file: 'coordinator/free-space' },
    ],
  },
  {
    fault: 6,
    what: 'damaged chunks and metadata',
    passes: "a named error with the chunk's key, `verify` lists all, never zeros",
    tests: [
      { file: 'storage/faults', tests: 'damaged chunks' },
      { file: 'storage/verify' },
      { file: 'storage/hostile' },
      { file: 'integration/faults', tests: 'damaged' },
    ],
  },
  {
    fault: 7,
    what: 'out of memory: address space, heap of V8, the kernel, too many blocks at once',
    passes: 'reported as out of memory, retried with fewer blocks at once, then quarantined with the peak',
    tests: [{ file: 'coordinator/out-of-memory' }],
    missing: 'a kill by the kernel itself: its count of such kills is imitated',
  },
  {
    fault: 8,
    what: 'the network between coordinator and workers cut for longer than a lease, slow',
    passes: 'the lease is lost, the block done once, a late worker ends without a trace, same bytes',
    tests: [{ file: 'chaos/partition' }, { file: 'coordinator/network' }],
  },
  {
    fault: 9,
    what: 'coordinator stopped; clock set forth and back',
    passes: 'nothing dies, nothing runs twice',
    tests: [{ file: 'coordinator/coordinator-faults', tests: 'stopped for longer|clock is set' }],
  },
  {
    fault: 10,
    what: 'hostile bytes, wrong keys, replays, many connections, slow senders',
    passes: 'the run is not affected, memory bounded, refusals counted',
    tests: [
      { file: 'chaos/hostile' },
      { file: 'coordinator/strangers' },
      { file: 'coordinator/authentication' },
      { file: 'coordinator/fencing' },
      { file: 'coordinator/frames' },
    ],
  },
  {
    fault: 11,
    what: 'workers that end at once',
    passes: 'a limited number of starts, pauses that double, the last lines shown',
    tests: [{ file: 'coordinator/worker-faults', tests: 'end at once|missing' }, { file: 'coordinator/worker-pool' }],
  },
  {
    fault: 12,
    what: 'SLURM: nodes cut off, jobs preempted, out of memory, requeued, cancelled; commands that fail, hang, print garbage; limits',
    passes: `the right action for each, no job counted as failed because a question failed, no job left; ${SAME}`,
    tests: [{ file: 'slurm/slurm-runs' }, { file: 'slurm/slurm-queue' }, { file: 'slurm/demo' }],
    missing: 'OUT_OF_MEMORY is what a shim says, as is a submit limit by QOS, which needs accounting',
  },
  {
    fault: 13,
    what: 'SLURM: warned before the end of the walltime, and ended at it',
    passes: 'no new block; the one at work ends or is given back; same bytes',
    tests: [{ file: 'slurm/walltime' }, { file: 'coordinator/draining' }],
  },
  {
    fault: 14,
    what: 'two coordinators on one run folder',
    passes: 'the second refuses and names the first; a stale lock is taken over',
    tests: [
      { file: 'coordinator/run-lock' },
      { file: 'integration/faults', tests: 'a second run' },
      { file: 'cli/interruptions', tests: 'a second command' },
    ],
  },
  {
    fault: 15,
    what: 'resume after an edited pipeline file',
    passes: 'refused, with the difference',
    tests: [
      { file: 'coordinator/run', tests: 'is refused when the plan' },
      { file: 'coordinator/done-record', tests: 'of another plan' },
      { file: 'integration/faults', tests: 'refuses what was made with another plan' },
    ],
  },
  {
    fault: 16,
    what: 'Ctrl-C once, twice; terminal closed',
    passes: 'an orderly stop; the second is fast',
    tests: [{ file: 'cli/interruptions' }, { file: 'integration/faults', tests: 'in a terminal|SIGTERM' }],
  },
  {
    fault: 17,
    what: 'SQLite writer killed inside a transaction',
    passes: 'the rows of a block are all there or none',
    tests: [{ file: 'graph/graph-kill' }],
    missing: 'PostgreSQL: there is no store for it yet',
  },
  {
    fault: 18,
    what: 'plugins that throw, reject late, crash; hosts that fail everything',
    passes: 'that block fails, the worker is replaced, the run goes on; such a host is avoided; all counts agree',
    tests: [
      { file: 'coordinator/counts' },
      { file: 'coordinator/host-watch' },
      { file: 'integration/faults', tests: 'a block that is bad' },
      { file: 'coordinator/run', tests: 'retries a block that throws|fails for good' },
    ],
  },
  {
    fault: 19,
    what: 'paths and links that leave their folder',
    passes: 'refused',
    tests: [
      { file: 'storage/hostile' },
      { file: 'integration/bad-input' },
      { file: 'pipeline/stray-files' },
      { file: 'cli/clean-command' },
    ],
  },
  {
    fault: 20,
    what: 'every order of the steps of 2 workers and 3 blocks, with 2 crashes and late or double messages (model check)',
    passes: 'no state breaks a promise; planted flaws are found',
    tests: [{ file: 'scheduler/protocol' }],
  },
  {
    fault: 21,
    what: 'small blocks for a long time (long form: 10 minutes)',
    passes: 'flat memory, files, threads',
    tests: [{ file: 'chaos/soak' }],
  },
  {
    fault: 22,
    what: 'native code on hostile shapes and bytes, under sanitizers',
    passes: 'no report',
    tests: [{ file: 'fuzz/metadata' }, { file: 'storage/hostile' }],
    missing: 'the C++ tests and fuzzers themselves: `npm run test:native` and `npm run fuzz`',
  },
  {
    fault: 23,
    what: 'a worker killed right after printing',
    passes: 'its last line is in its log; a resume overwrites nothing',
    tests: [{ file: 'coordinator/worker-faults', tests: 'right after printing' }],
  },
];
