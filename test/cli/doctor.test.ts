import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { executorSchema } from '../../lib/pipeline/executor-schema.js';
import type { Verdict } from '../../lib/site/finding.js';
import type { SiteReport } from '../../lib/site/site-check.js';
import { startProgramWith } from '../support/program.js';
import { makeShims, printing } from '../support/shims.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'blockwright-doctor-'));
  mkdirSync(join(folder, 'data'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const doctor = (commands: Readonly<Record<string, string>>, ...args: string[]) =>
  startProgramWith({ PATH: makeShims(join(folder, 'bin'), commands) }, folder, 'doctor', ...args).ended;

async function report(commands: Readonly<Record<string, string>>, ...args: string[]) {
  const { status, out } = await doctor(commands, 'data', '--json', ...args);
  const { sections, facts } = JSON.parse(out) as SiteReport;
  const verdicts = (subject: string): Record<string, Verdict> =>
    Object.fromEntries(
      sections
        .filter((one) => one.subject === subject)
        .flatMap(({ findings }) => findings.map((f) => [f.what, f.verdict])),
    );
  const found = (what: string) =>
    sections.flatMap(({ findings }) => findings).find((finding) => finding.what === what)?.found;
  return { status, sections, facts, verdicts, found };
}

const version = 'echo slurm-wlm 22.05.8';
const CONFIG = 'ClusterName             = test\nMaxArraySize            = 1001\nMaxJobCount             = 10000';
const slurm = {
  sbatch: version,
  scancel: version,
  squeue: `[ "$1" = --version ] && ${version} || ${printing('7_1')}`,
  scontrol: `[ "$1" = --version ] && ${version} || ${printing(CONFIG)}`,
  sinfo: `[ "$1" = --version ] && ${version} || ${printing('main|main*|up|infinite|n/a|2|2|2000|(null)|(null)')}`,
};

describe('doctor', () => {
  test('works where nothing is installed, says so in words, and leaves nothing behind', async () => {
    const { out, error, status } = await doctor({}, 'data');
    expect({ status, error }).toEqual({ status: 0, error: '' });
    for (const text of [
      'kernels addon',
      'rename over a file',
      'hard link',
      'second process',
      'nvidia-smi  ',
      'SLURM',
    ]) {
      expect(out).toContain(text);
    }
    expect(out).not.toContain('WRONG');
    expect(readdirSync(join(folder, 'data'))).toEqual([]);
  });

  test('tells of a cluster and of GPUs, and writes a profile', async () => {
    const gpu = { 'nvidia-smi': 'echo NVIDIA A100-SXM4-80GB, 535.161.08, 81920' };
    const site = await report({ ...slurm, ...gpu }, '--save', 'site.yaml');
    expect(site.status).toBe(0);
    expect(site.found('GPU 0')).toBe('NVIDIA A100-SXM4-80GB, 81920 MiB, driver 535.161.08');
    expect(site.found('commands')).toBe('sbatch, squeue, scontrol, scancel, sinfo: 22.05.8');
    expect(site.found('queue')).toBe('squeue answers, 1 of your jobs run');
    expect(site.found('partition main (default)')).toContain('2 nodes of up to 2 processors and 2000 MiB');
    // a folder of this machine alone, beside a cluster
    expect(site.verdicts('cluster and folder')).toEqual({ 'the folder': 'doubtful' });
    const profile = parse(readFileSync(join(folder, 'site.yaml'), 'utf8')) as Record<string, unknown>;
    expect(profile.executor).toMatchObject({ type: 'slurm', partition: 'main' });
    // as pipelines take it
    expect(executorSchema.safeParse({ ...(profile.executor as object), workers: 4 }).success).toBe(true);
    expect(profile.cluster).toMatchObject({ version: '22.05.8', maxArraySize: 1001, maxJobCount: 10000 });
  });

  test('garbage is doubtful, a missing command wrong; it never ends in an error', async () => {
    const { sbatch: _, ...others } = slurm;
    const site = await report({
      ...others,
      scontrol: `[ "$1" = --version ] && ${version} || echo nonsense`,
      sinfo: `[ "$1" = --version ] && echo hello || ${printing('a|b')}`,
      'nvidia-smi': 'echo NVIDIA-SMI has failed; exit 9',
    });
    expect(site.status).toBe(1);
    expect(site.verdicts('SLURM')).toMatchObject({
      sinfo: 'doubtful',
      controller: 'doubtful',
      partitions: 'doubtful',
      queue: 'good',
    });
    expect(site.sections.find(({ subject }) => subject === 'SLURM')?.findings).toContainEqual(
      expect.objectContaining({ verdict: 'wrong', found: 'not found: sbatch' }),
    );
    expect(site.found('nvidia-smi')).toContain('NVIDIA-SMI has failed');
  });

  test('SLURM that is installed and not set up is not wrong; one that does not answer is', async () => {
    const commands = ['sbatch', 'squeue', 'scontrol', 'scancel', 'sinfo'];
    const saying = (...lines: string[]) =>
      Object.fromEntries(
        commands.map((name) => [name, `${lines.map((line) => `echo '${name}: ${line}' >&2`).join('\n')}\nexit 1`]),
      );
    const lines = [
      'error: resolve_ctls_from_dns_srv: res_nsearch error: Unknown host',
      'error: fetch_config: DNS SRV lookup failed',
      'fatal: Could not establish a configuration source',
    ];
    const bare = await report(saying(...lines));
    expect(bare.verdicts('SLURM')).toEqual({ commands: 'absent' });
    expect(bare.found('commands')).toMatch(/^installed, not set up: /);
    const broken = await report(saying('error: Unable to contact slurm controller'));
    expect(broken.verdicts('SLURM')).toEqual({ commands: 'wrong' });
    expect(broken.found('commands')).toMatch(/^are there, and do not answer: /);
  });

  test('commands that hang are killed and named', async () => {
    const hang = `[ "$1" = --version ] && ${version} || exec /bin/sleep 600`;
    const site = await report({ ...slurm, squeue: hang }, '--timeout', '1');
    expect(site.status).toBe(1);
    expect(site.verdicts('SLURM').queue).toBe('wrong');
    expect(site.found('queue')).toBe('no answer within 1 s');
  });

  test('of a run folder that is not there yet, the folder above it is looked at; another one is refused', async () => {
    const { out, status } = await doctor({}, '--run-directory', 'data/new.run');
    expect(status).toBe(0);
    expect(out.split('\n', 1)[0]).toBe(join(folder, 'data'));
    const refused = await doctor({}, 'nowhere');
    expect(refused.status).toBe(2);
    expect(refused.error).toContain('folder: expected an existing folder, found none at');
    const elsewhere = await doctor({}, 'data', '--cluster', '--listen', '203.0.113.1');
    expect(elsewhere.status).toBe(2);
    expect(elsewhere.error).toContain('listen: expected an interface or address of this host, found 203.0.113.1');
  });

  test('Ctrl-C while a job waits cancels it and removes the files', async () => {
    const gone = join(folder, 'gone');
    const squeue = `case "$*" in *--version*) ${version};; *--jobs=*) [ -e '${gone}' ] && echo 'CANCELLED|None' || echo 'PENDING|Resources';; esac`;
    const commands = {
      ...slurm,
      squeue,
      sbatch: `[ "$1" = --version ] && ${version} || echo 7`,
      scancel: `[ "$1" = --version ] && ${version} || echo "$*" > '${gone}'`,
    };
    const env = { PATH: makeShims(join(folder, 'bin'), commands) };
    const program = startProgramWith(env, folder, 'doctor', 'data', '--cluster', '--listen', '127.0.0.1');
    await program.says('Job 7 looks at a node of the default partition');
    program.process.kill('SIGINT');
    const { status, error } = await program.ended;
    expect(status).toBe(3);
    expect(error).toContain('stopped on request');
    expect(readFileSync(gone, 'utf8')).toBe('--quiet 7\n');
    expect(readdirSync(join(folder, 'data'))).toEqual([]);
  });

  test('--cluster without a cluster is wrong, not an error', async () => {
    const site = await report({}, '--cluster');
    expect(site.status).toBe(1);
    expect(site.verdicts('nodes')).toEqual({ cluster: 'wrong' });
  });
});
