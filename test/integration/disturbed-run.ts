import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { RunFolder } from '../../lib/coordinator/run-folder.js';
import { processesOf, until } from '../support/processes.js';
import { seededRandom } from '../support/seeded-random.js';
import { journalOf } from '../support/toy-run.js';
import { type Segmentation, totalBlocks } from './segmentation.js';

const program = join(import.meta.dirname, '..', '..', '..', 'bin', 'blockwright.js');

export interface RunningCommand {
  readonly process: ChildProcess;
  /** Exit status, null after a signal. */
  readonly ended: Promise<number | null>;
  /** What it said so far. */
  readonly text: () => string;
  readonly over: () => boolean;
}

/** Starts `blockwright run`, as a user would. Its temporary files go to a folder of its own. */
export function startRun(
  { folder, file }: Pick<Segmentation, 'folder' | 'file'>,
  workers: number,
  environment: Readonly<Record<string, string>> = {},
): RunningCommand {
  const temporary = temporaryOf(folder);
  mkdirSync(temporary, { recursive: true });
  const child = spawn(process.execPath, [program, 'run', file, '--workers', String(workers), '--quiet'], {
    cwd: folder,
    env: { ...process.env, TMPDIR: temporary, NODE_OPTIONS: '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  let over = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
  }
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', (status) => {
      over = true;
      resolve(status);
    });
  });
  return { process: child, ended, text: () => text, over: () => over };
}

/** Runs the command to its end; throws when it does not succeed. */
export async function runUndisturbed(segmentation: Segmentation, workers: number): Promise<void> {
  const command = startRun(segmentation, workers);
  const status = await command.ended;
  if (status !== 0) throw new Error(`exit status ${status}:\n${command.text()}`);
}

const temporaryOf = (folder: string) => join(folder, 'tmp');

export interface Kills {
  readonly workers: number;
  readonly coordinators: number;
}

export interface DisturbedRun {
  /** Those that hit; may be a few more than wanted. */
  readonly kills: Kills;
  /** How often the command was started. */
  readonly starts: number;
  /** Starts that ended by themselves with blocks that failed: several workers were lost in one block. */
  readonly incomplete: number;
  /** Blocks that were acknowledged when a coordinator was killed, one entry a kill. */
  readonly acknowledged: readonly number[];
}

interface Moment {
  readonly what: 'worker' | 'coordinator';
  /** Blocks that are done before it. */
  readonly at: number;
  /** Milliseconds after that. */
  readonly wait: number;
}

/** Starts in vain after which something else must be wrong. */
const MOST_INCOMPLETE = 5;

/**
 * Runs the command with 1 to 4 workers, kills workers and the command itself at random moments, and starts it again until
 * it succeeds. Throws when a block that was acknowledged is computed again, or when it does not succeed.
 */
export async function runWithKills(segmentation: Segmentation, wanted: Kills, seed: number): Promise<DisturbedRun> {
  const random = seededRandom(seed);
  const { runDirectory } = segmentation;
  const kills = { workers: 0, coordinators: 0 };
  const acknowledged: number[] = [];
  const known = new Map<string, string>();
  let starts = 0;
  let incomplete = 0;
  const start = () => startRun(segmentation, 4 - (starts++ % 4));
  let command = start();

  for (const { what, at, wait } of momentsOf(segmentation, wanted, random)) {
    for (;;) {
      // no limit: the command itself is known to end
      while (!command.over() && blocksDone(runDirectory) < at) await delay(10);
      if (!command.over()) await delay(wait);
      if (!command.over()) break;
      // it has ended before this moment
      const status = await command.ended;
      if (status === 0) break;
      if (status !== 1 || ++incomplete > MOST_INCOMPLETE) throw new Error(`exit status ${status}:\n${command.text()}`);
      command = start();
    }
    if (command.over()) break;
    if (what === 'worker') {
      if (await killWorker(runDirectory, command, random)) kills.workers++;
    } else {
      command.process.kill('SIGKILL');
      kills.coordinators++;
      await command.ended;
      await until('the workers of a killed coordinator have ended', () => processesOf(runDirectory).length === 0);
      for (const [block, trace] of tracesOfAcknowledged(segmentation)) {
        if ((known.get(block) ?? trace) !== trace) throw new Error(`${block} was acknowledged and computed again`);
        known.set(block, trace);
      }
      acknowledged.push(known.size);
      command = start();
    }
  }
  for (let status = await command.ended; status !== 0; status = await command.ended) {
    if (status !== 1 || ++incomplete > MOST_INCOMPLETE) throw new Error(`exit status ${status}:\n${command.text()}`);
    command = start();
  }
  const traces = tracesOfAcknowledged(segmentation);
  for (const [block, trace] of known) {
    if (traces.get(block) !== trace) throw new Error(`${block} was acknowledged and computed again`);
  }
  return { kills, starts, incomplete, acknowledged };
}

/**
 * In order. Those that are wanted lie well before the last task begins, whose blocks are so quick that a moment may be
 * missed; a few more that may be missed lie after them.
 */
function momentsOf(segmentation: Segmentation, wanted: Kills, random: () => number): Moment[] {
  const total = totalBlocks(segmentation);
  const early = Math.floor(0.85 * (total - segmentation.tasks.at(-1)!.blocks));
  const draw = (what: Moment['what'], count: number, begin: number, end: number) =>
    Array.from({ length: count }, (): Moment => {
      return { what, at: Math.floor(begin + random() * (end - begin)), wait: random() * (begin === 0 ? 60 : 10) };
    });
  return [
    ...draw('worker', wanted.workers, 0, early),
    ...draw('coordinator', wanted.coordinators, 0, early),
    ...draw('worker', 3, early, total),
    ...draw('coordinator', 1, early, total),
  ].sort((a, b) => a.at - b.at || a.wait - b.wait);
}

/** How many blocks a run has done, by its journal. */
export function blocksDone(runDirectory: string): number {
  const path = join(runDirectory, 'journal.jsonl');
  return existsSync(path) ? readFileSync(path, 'utf8').split('"event":"block-done"').length - 1 : 0;
}

/** Kills one of the workers, as soon as there is one; false when the run ended meanwhile. */
async function killWorker(runDirectory: string, command: RunningCommand, random: () => number): Promise<boolean> {
  for (;;) {
    const workers = processesOf(runDirectory);
    const victim = workers[Math.floor(random() * workers.length)];
    if (victim !== undefined) {
      try {
        process.kill(victim, 'SIGKILL');
        return true;
      } catch {
        // it ended by itself meanwhile
      }
    }
    if (command.over()) return false;
    await delay(5);
  }
}

/**
 * What each block that the journal has as done left behind, as text: which files (by number and time, which a write
 * would change) and how long its log is.
 */
function tracesOfAcknowledged({ folder, runDirectory, tasks }: Segmentation): Map<string, string> {
  const run = new RunFolder(runDirectory);
  const outputs = new Map([
    ['affinities', 'fib25.zarr/affinities/c/0'],
    ['fragments', 'fib25.zarr/fragments/c'],
    ['segments', 'fib25.zarr/segments/c'],
  ]);
  const traceOf = (path: string) => {
    const found = statSync(path, { throwIfNoEntry: false });
    return found === undefined ? 'none' : `${found.ino} ${found.mtimeMs} ${found.size}`;
  };
  const traces = new Map<string, string>();
  // it may have been killed before there was a journal
  if (!existsSync(run.journal)) return traces;
  for (const { event, task, block } of journalOf(runDirectory)) {
    if (event !== 'block-done') continue;
    const name = String(task);
    const { grid, chunks } = tasks.find((one) => one.name === name)!;
    const [, rows, columns] = grid;
    const index = Number(block);
    const position = [Math.floor(index / (rows * columns)), Math.floor(index / columns) % rows, index % columns];
    const output = outputs.get(name);
    const chunk =
      output === undefined
        ? ''
        : chunksOf(position, chunks)
            .map((key) => traceOf(join(folder, output, key)))
            .join(' ');
    const lut = name === 'lut' ? traceOf(join(folder, 'segments.lut')) : '';
    traces.set(`${name} ${index}`, [chunk, lut, traceOf(run.blockLog(name, index))].join(', '));
  }
  return traces;
}

/** Keys of the chunks of the block at a position of the grid. */
function chunksOf(position: readonly number[], chunks: readonly number[]): string[] {
  let keys = [''];
  for (const [axis, count] of chunks.entries()) {
    const own = Array.from({ length: count }, (_, i) => position[axis] * count + i);
    keys = keys.flatMap((key) => own.map((one) => (key === '' ? String(one) : `${key}/${one}`)));
  }
  return keys;
}

/** What is wrong with the journal of a run that succeeded in the end; empty when nothing is. */
export function journalFaults({ runDirectory, tasks }: Segmentation, kills: Kills): string[] {
  const faults: string[] = [];
  const done = new Set<string>();
  const losses = new Map<string, number>();
  let silent = 0;
  let epoch = 0;
  for (const entry of journalOf(runDirectory)) {
    const block = `${epoch} ${entry.task} ${entry.block}`;
    if (entry.event === 'run-start') {
      epoch = Number(entry.epoch);
      // marks that were on disk when the coordinator was killed, just before their lines were
      const recorded = (entry.tasks as { done: number }[]).reduce((sum, task) => sum + task.done, 0);
      if (recorded < done.size + silent) faults.push(`${done.size} blocks done, and epoch ${epoch} knew ${recorded}`);
      silent = recorded - done.size;
    } else if (entry.event === 'block-done') {
      const key = `${entry.task} ${entry.block}`;
      if (done.has(key)) faults.push(`${key} was done twice`);
      done.add(key);
      if (Number(entry.attempt) !== 1 + (losses.get(block) ?? 0)) faults.push(`${key}: attempt ${entry.attempt}`);
    } else if (entry.event === 'block-lost' || entry.event === 'block-given-back') {
      // lost at work, or with a worker that had not begun it: the next attempt has the next number
      losses.set(block, (losses.get(block) ?? 0) + 1);
    } else if (entry.event === 'block-failed' || entry.event === 'result-refused') {
      faults.push(JSON.stringify(entry));
    }
  }
  const total = tasks.reduce((sum, { blocks }) => sum + blocks, 0);
  if (done.size + silent !== total) faults.push(`${done.size} + ${silent} blocks done of ${total}`);
  // one commit of each task at most is on its way when a coordinator is killed
  if (silent > 0 && kills.coordinators === 0) faults.push(`${silent} blocks done without a line`);
  return faults;
}

/** Processes, sockets and files that a run left and should not have, by name. `expected`: the files of the outputs. */
export function leftovers({ folder, runDirectory }: Segmentation, expected: ReadonlySet<string>): string[] {
  const inRun =
    /^(lock\.\d+|journal\.jsonl|run\.json|statistics\.json|jobs-slurm\.jsonl|logs\/(worker-\d+\.\d+|fib25-[0-9a-f]{8})\.log|tasks\/\w+\/((done|costs\/\w+)\/(zarr\.json|c(\/\d+)+)|logs\/block-\d+\.log))$/;
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => {
      if (path.startsWith(`${runDirectory}/`)) return !inRun.test(path.slice(runDirectory.length + 1));
      return !expected.has(path.slice(folder.length + 1));
    });
  const temporary = readdirSync(temporaryOf(folder)).map((name) => join(temporaryOf(folder), name));
  return [...entries, ...temporary, ...processesOf(runDirectory).map((pid) => `process ${pid}`)];
}

/** The files of a folder outside its run directory, relative to it. */
export function outputFiles({ folder, runDirectory }: Segmentation): Set<string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory());
  const paths = files.map((entry) => join(entry.parentPath, entry.name));
  return new Set(
    paths.filter((path) => !path.startsWith(`${runDirectory}/`)).map((path) => path.slice(folder.length + 1)),
  );
}
