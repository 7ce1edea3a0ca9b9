import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { CallBackListener, callBack } from '../../lib/site/call-back.js';
import { type ClusterJobs, lsfJobs, slurmJobs } from '../../lib/site/cluster-jobs.js';
import type { CommandAnswer } from '../../lib/site/command-answer.js';
import { answer, call } from '../../lib/site/exchange.js';
import { nodeFindings } from '../../lib/site/node-findings.js';
import { makeChecks } from '../../lib/site/site-check.js';
import { type VisitOptions, visitNodes } from '../../lib/site/visit.js';
import { PROGRAM } from '../support/program.js';

let folder: string;
let cancelled: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'blockwright-visit-'));
  cancelled = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const loopback = [{ name: 'lo', address: '127.0.0.1' }];
const never = new AbortController().signal;

/** Jobs that stand like this until they are cancelled. */
const standing = (state: 'waiting' | 'running' | 'ended'): ClusterJobs => ({
  submit: async () => '7',
  state: async () => (cancelled.length > 0 ? { state: 'ended', words: 'CANCELLED' } : { state, words: 'WORD' }),
  cancel: async (id) => {
    cancelled.push(id);
  },
});

/** Jobs that are processes of this machine. */
function processes(): ClusterJobs {
  let ended = false;
  return {
    ...standing('running'),
    submit: async ({ script }) => {
      spawn('/bin/bash', [script], { stdio: 'ignore' }).on('exit', () => {
        ended = true;
      });
      return '7';
    },
    state: async () => ({ state: ended ? 'ended' : 'running', words: ended ? 'COMPLETED' : 'RUNNING' }),
  };
}

const visit = (jobs: ClusterJobs, options: Partial<VisitOptions> = {}) =>
  visitNodes({
    folder,
    jobs,
    partitions: ['main'],
    options: [],
    interfaces: loopback,
    waitSeconds: 60,
    command: [process.execPath, PROGRAM, 'visit-node'],
    signal: never,
    say: () => undefined,
    ...options,
  });

describe('a visit', () => {
  test('sees files both ways, is called back and brings the report of the node', async () => {
    const { sections, listen } = await visit(processes());
    const verdicts = Object.fromEntries(sections[0].findings.map(({ what, verdict }) => [what, verdict]));
    expect(verdicts).toMatchObject({
      'folder, both ways': 'good',
      'connection to this host': 'good',
      "the node's clock": 'good',
      'node there': 'good',
      'checks on the node': 'good',
    });
    expect(sections[0].subject).toMatch(/^node \S+, partition main, job 7$/);
    expect(listen).toEqual(loopback[0]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('to a node where Node is not installed says so', async () => {
    const { sections } = await visit(processes(), { command: ['/nowhere/node', 'x'] });
    expect(sections[0].findings).toEqual([
      expect.objectContaining({ verdict: 'wrong', found: 'expected Node at /nowhere/node, found none there' }),
    ]);
  });

  test('of which nothing is seen is wrong: the folder is not shared', async () => {
    const { sections, listen } = await visit(standing('ended'), { afterEndSeconds: 0.1 });
    expect(sections[0].findings[0]).toMatchObject({ verdict: 'wrong', found: expect.stringContaining('left none') });
    expect(sections[0].findings[0].advice).toContain('take one that all nodes share');
    expect(listen).toBeUndefined();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('that waits too long is doubtful; its job is cancelled, its files are removed', async () => {
    const { sections } = await visit(standing('waiting'), { waitSeconds: 0.1 });
    expect(sections[0].findings[0]).toMatchObject({ what: 'job', verdict: 'doubtful' });
    expect(cancelled).toEqual(['7']);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('that is stopped, too', async () => {
    const stop = new AbortController();
    const visited = visit(standing('running'), { signal: stop.signal, say: () => stop.abort() });
    await expect(visited).rejects.toThrow();
    expect(cancelled).toEqual(['7']);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('that cannot be submitted says what the cluster said', async () => {
    const refuse = async (): Promise<string> => {
      throw new Error('sbatch: error: invalid partition specified: main');
    };
    const { sections } = await visit({ ...standing('running'), submit: refuse });
    expect(sections[0].findings[0]).toMatchObject({
      verdict: 'wrong',
      found: expect.stringContaining('invalid partition'),
    });
    expect(cancelled).toEqual([]);
  });
});

test('a check that throws or never ends is a finding, and the others are made', async () => {
  const surroundings = {
    folder,
    ask: async (): Promise<CommandAnswer> => ({ outcome: 'missing', out: '', error: '' }),
  };
  const checks = [
    { subject: 'throws', look: () => Promise.reject(new Error('broken')) },
    { subject: 'hangs', look: () => new Promise<never>(() => undefined) },
    { subject: 'works', look: async () => ({ findings: [], facts: { processors: 3 } }) },
  ];
  const { sections, facts } = await makeChecks(checks, surroundings, 0.05);
  expect(sections.map(({ findings }) => findings[0]?.found)).toEqual([
    'could not be made: broken',
    'could not be made: no answer within 0.05 s',
    undefined,
  ]);
  expect(facts).toEqual({ processors: 3 });
});

test('an exchange without an answer ends with what was not seen', async () => {
  await expect(call(folder, 'x', 0.1)).rejects.toThrow(/expected to see .* within 0.1 s, found no file/);
  const both = await Promise.all([call(folder, 'y', 30), answer(folder, 'y', 30)]);
  expect(both[0].first).toBeGreaterThan(0);
});

test('who does not know the token is told nothing', async () => {
  const token = 'a'.repeat(64);
  const listener = await CallBackListener.open([...loopback, { name: 'gone', address: '203.0.113.1' }], token);
  try {
    expect(listener.refused[0]).toMatch(/^gone 203\.0\.113\.1: /);
    const [where] = listener.addresses;
    expect((await callBack(where, token)).error).toBeUndefined();
    expect((await callBack(where, 'b'.repeat(64))).error).toBeDefined();
    const said = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect({ host: where.address, port: where.port }, () => socket.write('x'.repeat(10_000)));
      socket.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(text));
    });
    expect(said).toBe('');
  } finally {
    await listener.close();
  }
});

test('reports: no connection and an exchange that failed are wrong, slow files and other clocks doubtful', () => {
  const address = { name: 'eth0', address: '10.0.0.1', port: 5 };
  const report = { host: 'n1', node: '1.0.0', sections: [] };
  const verdicts = (...parameters: Parameters<typeof nodeFindings>) =>
    Object.fromEntries(nodeFindings(...parameters).map(({ what, verdict }) => [what, verdict]));
  expect(
    verdicts({ ...report, exchange: 'no file', callBacks: [{ ...address, error: 'ECONNREFUSED' }] }),
  ).toMatchObject({
    'folder, both ways': 'wrong',
    'connection to this host': 'wrong',
    'node there': 'doubtful',
  });
  const slow = { first: 31, replaced: 2 };
  const late = { ...address, skew: -90_000, roundTrip: 3 };
  expect(verdicts({ ...report, exchange: slow, callBacks: [late, { ...address, error: 'timed out' }] })).toMatchObject({
    'folder, both ways': 'doubtful',
    'connection to this host': 'good',
    "the node's clock": 'doubtful',
  });
});

describe('jobs', () => {
  const answered = (out: string): CommandAnswer => ({ outcome: 'answered', out, error: '' });
  const failed = (error: string): CommandAnswer => ({ outcome: 'failed', out: '', error });
  const request = { name: 'x', script: '/s', log: '/l', options: ['--account=lab'] };

  test('of SLURM', async () => {
    const asked: string[][] = [];
    const jobs = (reply: CommandAnswer) =>
      slurmJobs(async (...words) => {
        asked.push(words);
        return reply;
      });
    expect(await jobs(answered('12;cluster\n')).submit({ ...request, partition: 'gpu' })).toBe('12');
    expect(asked[0].slice(-3)).toEqual(['--partition=gpu', '--account=lab', '/s']);
    await expect(jobs(failed('sbatch: error: no')).submit(request)).rejects.toThrow('sbatch: error: no');
    await expect(jobs(answered('hello')).submit(request)).rejects.toThrow('hello');
    const states = [answered('PENDING|Resources'), answered('RUNNING|None'), answered('NODE_FAIL|None'), answered('')];
    const replies = [...states, failed('slurm_load_jobs error: Invalid job id specified'), failed('timed out')];
    const found = await Promise.all(replies.map(async (reply) => (await jobs(reply).state('12')).state));
    expect(found).toEqual(['waiting', 'running', 'ended', 'ended', 'ended', 'unknown']);
  });

  test('of LSF', async () => {
    const jobs = (reply: CommandAnswer) => lsfJobs(async () => reply);
    expect(await jobs(answered('Job <12> is submitted to queue <normal>.\n')).submit(request)).toBe('12');
    await expect(jobs(failed('No such queue')).submit(request)).rejects.toThrow('No such queue');
    const replies = [answered('PEND|waits'), answered('UNKWN|-'), answered('EXIT|-'), failed('Job <12> is not found')];
    const found = await Promise.all(replies.map(async (reply) => (await jobs(reply).state('12')).state));
    expect(found).toEqual(['waiting', 'running', 'ended', 'ended']);
  });
});
