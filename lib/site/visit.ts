import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf, messageOf } from '../errors.js';
import { firstWords } from './answer-text.js';
import { TEMPORARY_PREFIX } from './behaviour.js';
import { CallBackListener } from './call-back.js';
import type { ClusterJobs } from './cluster-jobs.js';
import { answer } from './exchange.js';
import { doubtful, type Finding, wrong } from './finding.js';
import { nodeFindings } from './node-findings.js';
import type { Section } from './site-check.js';
import type { Interface } from './site-facts.js';
import { CARD, type NodeReport, reportFile, TOKEN, VISIBLE_SECONDS } from './visit-files.js';

export interface VisitOptions {
  /** The folder that is looked at, absolute; the visit makes one of its own in it and removes it. */
  readonly folder: string;
  readonly jobs: ClusterJobs;
  /** One job each; undefined: the cluster's default. */
  readonly partitions: readonly (string | undefined)[];
  /** Options of the submitting command, word for word. */
  readonly options: readonly string[];
  /** Where nodes may connect to. */
  readonly interfaces: readonly Interface[];
  /** How long a job may wait in the queue. */
  readonly waitSeconds: number;
  /** Within how many seconds of its end what a job wrote must be seen. @default 30 */
  readonly afterEndSeconds?: number | undefined;
  /** Starts {@link visitNode}; gets `FOLDER NAME`. */
  readonly command: readonly string[];
  readonly signal: AbortSignal;
  say(text: string): void;
}

export interface Visit {
  readonly sections: readonly Section[];
  /** That nodes could connect to. */
  readonly listen: Interface | undefined;
}

const POLL = 500;
/** Longest look at a node, in seconds, beyond what files take to be seen. */
const LONGEST_LOOK = 240;
/** Seconds for cancelled jobs to end, before their files are removed. */
const FAREWELL = 15;

/** Has jobs look at nodes of a cluster. Jobs are cancelled and files removed, however it ends; rejects when the signal is raised. */
export async function visitNodes(options: VisitOptions): Promise<Visit> {
  const { folder, partitions, interfaces, jobs } = options;
  const own = await mkdtemp(join(folder, TEMPORARY_PREFIX));
  const token = randomBytes(32).toString('hex');
  const listener = await CallBackListener.open(interfaces, token);
  const submitted = new Set<string>();
  try {
    await writeFile(join(own, TOKEN), token, { mode: 0o600, flag: 'wx' });
    await writeFile(join(own, CARD), JSON.stringify({ addresses: listener.addresses }), { flag: 'wx' });
    const visits = await Promise.all(
      partitions.map((partition, i) => visitOne(options, own, `node-${i}`, partition, submitted)),
    );
    options.signal.throwIfAborted();
    const callBacks = visits.flatMap(({ report }) => report?.callBacks ?? []);
    const reached = callBacks.find(({ error }) => error === undefined);
    const listen = reached === undefined ? undefined : { name: reached.name, address: reached.address };
    return { sections: visits.map(({ section }) => section), listen };
  } finally {
    await listener.close();
    await endJobs(jobs, submitted);
    await rm(own, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

async function visitOne(
  options: VisitOptions,
  own: string,
  name: string,
  partition: string | undefined,
  submitted: Set<string>,
): Promise<{ section: Section; report?: NodeReport }> {
  const { jobs, say } = options;
  const where = partition === undefined ? 'the default partition' : `partition ${partition}`;
  const script = join(own, `${name}.sh`);
  await writeFile(script, scriptText(options.command, own, name), { mode: 0o700, flag: 'wx' });
  const log = join(own, `${name}.log`);
  let id: string;
  try {
    id = await jobs.submit({ name: 'blockwright-doctor', script, log, partition, options: options.options });
  } catch (error) {
    const advice = 'Say what the cluster asks for: --partition, --submit-option=--account=NAME, ...';
    return { section: { subject: `a node of ${where}`, findings: [wrong('submitting', messageOf(error), advice)] } };
  }
  submitted.add(id);
  say(`Job ${id} looks at a node of ${where}`);
  const found = await follow(options, own, name, id);
  const report = 'report' in found ? found.report : undefined;
  const host = report?.host ?? (await textOf(join(own, `${name}.host`)))?.trim();
  const subject = `node ${host === undefined ? 'unknown' : firstWords(host)}, ${where}, job ${id}`;
  if (report !== undefined) return { section: { subject, findings: nodeFindings(report) }, report };
  return { section: { subject, findings: [found as Finding] } };
}

/** Answers a node's calls until there is its report, or no hope for it. */
async function follow(
  { jobs, waitSeconds, afterEndSeconds = 30, signal }: VisitOptions,
  own: string,
  name: string,
  id: string,
): Promise<{ report: NodeReport } | Finding> {
  const over = new AbortController();
  const answered = answer(own, name, waitSeconds + LONGEST_LOOK, over.signal).catch(() => undefined);
  const begin = performance.now();
  let running: number | undefined;
  let ended: number | undefined;
  try {
    for (;;) {
      signal.throwIfAborted();
      const text = await textOf(join(own, reportFile(name)));
      if (text !== undefined) return { report: JSON.parse(text) as NodeReport };
      const problem = await textOf(join(own, `${name}.problem`));
      if (problem !== undefined)
        return wrong('program', firstWords(problem), 'Install it on all nodes, at the same path');
      const { state, words } = await jobs.state(id);
      const now = performance.now();
      if (state === 'running') running ??= now;
      if (state === 'ended') ended ??= now;
      if (ended !== undefined && now - ended > afterEndSeconds * 1000)
        return nothingSeen(words, afterEndSeconds, await textOf(join(own, `${name}.log`)));
      if (running !== undefined && now - running > (VISIBLE_SECONDS * 2 + LONGEST_LOOK) * 1000) {
        return wrong(
          'report',
          `none after ${LONGEST_LOOK} s at work`,
          'Look at what the node does; its folder may hang',
        );
      }
      if (running === undefined && ended === undefined && now - begin > waitSeconds * 1000) {
        return doubtful(
          'job',
          `waits for ${waitSeconds} s (${words})`,
          'Ask again when the queue is shorter, or with --wait SECONDS',
        );
      }
      await delay(POLL, undefined, { signal });
    }
  } finally {
    over.abort();
    await answered;
  }
}

function nothingSeen(words: string, seconds: number, log: string | undefined): Finding {
  const said = log === undefined || log.trim() === '' ? '' : `; its log: ${firstWords(log)}`;
  const advice = 'The folder is not there on the node, or cannot be written to by it: take one that all nodes share';
  return wrong('report', `the job ended (${words}) and left none that is seen here within ${seconds} s${said}`, advice);
}

/** What runs on the node before Node does, so that its lack is told. */
function scriptText(command: readonly string[], own: string, name: string): string {
  const [program] = command;
  return [
    '#!/bin/bash',
    `cd ${quote(own)} || exit 1`,
    `uname -n > ${name}.host`,
    `if [ ! -x ${quote(program)} ]; then`,
    `  echo ${quote(`expected Node at ${program}, found none there`)} > ${name}.problem.tmp && mv ${name}.problem.tmp ${name}.problem`,
    '  exit 1',
    'fi',
    `exec ${[...command, own, name].map(quote).join(' ')}`,
    '',
  ].join('\n');
}

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** Those that have not ended are cancelled; their files can go when they are gone. */
async function endJobs(jobs: ClusterJobs, ids: ReadonlySet<string>): Promise<void> {
  const left = new Set(ids);
  const end = performance.now() + FAREWELL * 1000;
  for (let first = true; left.size > 0 && performance.now() < end; first = false) {
    for (const id of [...left]) {
      const { state } = await jobs.state(id).catch(() => ({ state: 'unknown' }) as const);
      if (state === 'ended') left.delete(id);
      else if (first) await jobs.cancel(id).catch(() => undefined);
    }
    if (left.size > 0) await delay(POLL);
  }
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESTALE') return undefined;
    throw error;
  }
}
