import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, openSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/*
 * What stands in for LSF in tests: bsub, bjobs, bkill and bparams over processes of this machine, with one file a job in the folder
 * FAKE_LSF. It prints what IBM's documentation prints.
 */
const folder = process.env.FAKE_LSF!;
const [command, ...args] = process.argv.slice(2);

export interface FakeJob {
  readonly id: number;
  readonly index: number;
  readonly name: string;
  readonly stat: string;
  readonly pid?: number;
  readonly exit?: number;
  /** E.g. 'TERM_OWNER: job killed by owner'. */
  readonly reason?: string;
}

const fileOf = (id: number, index: number) => join(folder, `job.${id}.${index}.json`);

function write(job: FakeJob): void {
  const path = fileOf(job.id, job.index);
  writeFileSync(`${path}.tmp.${process.pid}`, JSON.stringify(job));
  renameSync(`${path}.tmp.${process.pid}`, path);
}

function jobs(): FakeJob[] {
  const files = readdirSync(folder).filter((name) => /^job\.\d+\.\d+\.json$/.test(name));
  return files.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as FakeJob);
}

function bsub(): void {
  const script = readFileSync(0, 'utf8');
  const option = (name: string) => new RegExp(`^#BSUB ${name} "?([^"\\n]+)"?$`, 'm').exec(script)?.[1];
  const [, name, count] = /^(.+)\[1-(\d+)\]$/.exec(option('-J') ?? '') ?? [];
  if (name === undefined) throw new Error('bsub: expected -J name[1-N]');
  const id = readdirSync(folder).filter((file) => file.endsWith('.sh')).length + 101;
  const path = join(folder, `${id}.sh`);
  writeFileSync(path, script);
  for (let index = 1; index <= Number(count); index++) {
    write({ id, index, name, stat: 'PEND' });
    spawn(process.execPath, [process.argv[1], 'run', String(id), String(index), name, option('-o')!], {
      detached: true,
      stdio: 'ignore',
    }).unref();
  }
  process.stdout.write(`Job <${id}> is submitted to default queue <normal>.\n`);
}

/** What a node does: runs one job to its end and tells how it ended. */
function run(): void {
  const [id, index] = args.slice(0, 2).map(Number);
  const [name, log] = args.slice(2);
  const out = openSync(log, 'a');
  const child = spawn('/bin/bash', [join(folder, `${id}.sh`)], {
    detached: true,
    stdio: ['ignore', out, out],
    env: { ...process.env, LSB_JOBID: String(id), LSB_JOBINDEX: String(index) },
  });
  write({ id, index, name, stat: 'RUN', pid: child.pid! });
  const kill = join(folder, `kill.${id}.${index}`);
  child.on('exit', (status) => {
    const exit = status ?? 137;
    const reason = existsSync(kill) ? readFileSync(kill, 'utf8') : undefined;
    const ended = { id, index, name, stat: exit === 0 ? 'DONE' : 'EXIT', exit };
    write(reason === undefined ? ended : { ...ended, reason });
  });
  if (existsSync(kill)) process.kill(-child.pid!, 'SIGKILL');
}

function bjobs(): void {
  const lines = jobs().map(({ id, index, name, stat, exit, reason }) => {
    const pending = stat === 'PEND' ? 'New job is waiting for scheduling;' : '-';
    const host = stat === 'PEND' ? '-' : 'hostA';
    return [id, index, stat, stat === 'EXIT' ? exit : '-', host, `${name}[${index}]`, reason ?? '-', pending].join('|');
  });
  if (lines.length === 0) {
    process.stderr.write('No job found\n');
    process.exitCode = 255;
    return;
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}

function bkill(): void {
  for (const id of args) {
    const [, array, index] = /^(\d+)\[(\d+)\]$/.exec(id)!;
    if (endFakeJob(folder, Number(array), Number(index), 'TERM_OWNER: job killed by owner')) {
      process.stdout.write(`Job <${id}> is being terminated\n`);
    } else {
      process.stderr.write(`Job <${id}>: Job has already finished\n`);
      process.exitCode = 255;
    }
  }
}

/** Ends a job for a reason, as LSF would; whether it had not ended. */
export function endFakeJob(where: string, id: number, index: number, reason: string): boolean {
  const { stat, pid } = JSON.parse(readFileSync(join(where, `job.${id}.${index}.json`), 'utf8')) as FakeJob;
  if (stat === 'DONE' || stat === 'EXIT') return false;
  writeFileSync(join(where, `kill.${id}.${index}`), reason);
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // it has just ended
  }
  return true;
}

if (folder !== undefined && command !== undefined) {
  appendFileSync(join(folder, 'calls'), `${command}\n`);
  if (command === 'bsub') bsub();
  if (command === 'run') run();
  if (command === 'bjobs') bjobs();
  if (command === 'bkill') bkill();
  if (command === 'bparams') process.stdout.write('MAX_JOB_ARRAY_SIZE = 2\n');
}
