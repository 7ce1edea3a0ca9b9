import { readFileSync, statSync } from 'node:fs';
import { link, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { hasSuccess } from '../coordinator/done-record.js';
import { RunFolder } from '../coordinator/run-folder.js';
import { lockOwner } from '../coordinator/run-lock.js';
import { codeOf } from '../errors.js';
import { isAddress } from '../storage/address.js';
import { createFile, createFolder, replaceFile } from '../storage/array-folder.js';
import { ioError } from '../storage/io-error.js';
import { WRITER_FILE } from '../storage/stored-files.js';
import { temporaryName } from '../storage/temporary-files.js';
import type { Resource } from '../workers/task-definition.js';
import type { Check } from './check.js';
import { withoutLinks } from './paths.js';
import type { Pipeline } from './pipeline.js';
import { pathOfReference } from './plan-context.js';
import { type Refusal, refusal, refusalsError } from './refusal.js';
import { describeResource, resourcePath } from './resource-key.js';
import { type TaskWithPlan, writesOf } from './upstream.js';

/** Which run writes an array, a LUT, or a task's rows of a graph. */
interface OutputWriter {
  /** Its folder, from that of the note, so that both can be moved together. */
  readonly run: string;
  /** Those of its tasks that do so. */
  readonly tasks: readonly string[];
}

const WRITER = z.object({ run: z.string(), tasks: z.array(z.string()).min(1) });

/** Where it is noted. */
interface Note {
  readonly resource: Resource;
  /** What is written: a folder or a file. */
  readonly path: string;
  readonly folder: string;
  readonly file: string;
}

/** In the folder of an array; beside a LUT, which is put in place as a whole; beside a graph, one for each task that writes rows. */
function notesOf(pipeline: Pipeline, { task, plan }: TaskWithPlan): Note[] {
  return writesOf(plan).flatMap((resource) => {
    if (resource.kind === 'file') return [];
    const path = resourcePath(pipeline, resource);
    if (isAddress(path)) return [];
    if (resource.kind === 'array') return [{ resource, path, folder: path, file: WRITER_FILE }];
    // no task's name has an @, other than names of graphs and LUTs
    const whose = resource.kind === 'graph' ? `@${task.name}` : '';
    return [{ resource, path, folder: dirname(path), file: `.${basename(path)}${whose}${WRITER_FILE}` }];
  });
}

/**
 * Notes beside what a task writes which run does so. Throws ERR_PLAN where another one came first since the writers were
 * checked. The run holds its lock by then: others see that it is at work.
 */
export async function noteWriter(pipeline: Pipeline, planned: TaskWithPlan): Promise<void> {
  const { task } = planned;
  for (const { folder, file } of notesOf(pipeline, planned)) {
    await createFolder(folder);
    const path = join(folder, file);
    const run = relative(withoutLinks(folder), withoutLinks(pipeline.runDirectory));
    const known = readWriter(path);
    const own = known?.run === run ? known.tasks : [];
    if (own.includes(task.name)) continue;
    const writer: OutputWriter = { run, tasks: [...own, task.name] };
    const text = `${JSON.stringify(writer)}\n`;
    if (own.length === 0) {
      refuseOthers(pipeline, planned);
      if (known !== undefined) await removeNote(folder, file, known);
      if (await createFile(path, text)) continue;
      refuseOthers(pipeline, planned);
    }
    await replaceFile(path, text);
  }
}

/** Removes the note of a run that is over; not what another one has put in its place since, nor that of one that goes on. */
async function removeNote(folder: string, file: string, known: OutputWriter): Promise<void> {
  const path = join(folder, file);
  const aside = join(folder, temporaryName());
  try {
    await rename(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw ioError('replacing', path, error);
  }
  if (!isStill(known, aside) || vouchingTask(folder, known) !== undefined) {
    await link(aside, path).catch((error) => (codeOf(error) === 'EEXIST' ? undefined : rename(aside, path)));
  }
  await rm(aside, { force: true });
}

function isStill(known: OutputWriter, file: string): boolean {
  try {
    return isDeepStrictEqual(readWriter(file), known);
  } catch {
    return false;
  }
}

/**
 * Blocks that another run has recorded as done vouch for what they have written: a run with a folder of its own does not write
 * over it. Where that run's folder is gone, or has nothing done, there is nothing to vouch for.
 */
export function checkWriters({ pipeline, task, plan }: Pick<Check, 'pipeline' | 'task' | 'plan'>): Refusal[] {
  return notesOf(pipeline, { task, plan }).flatMap(({ resource, path, folder, file }) => {
    const writer = readWriter(join(folder, file));
    if (writer === undefined) return [];
    const other = folderOf(folder, writer);
    if (other === withoutLinks(pipeline.runDirectory)) return [];
    const vouching = vouchingTask(folder, writer);
    if (vouching === undefined) return [];
    const { kind, name } = resource;
    const text =
      `${describeResource(resource)} (${path}) was written by another run, whose folder is ${other} (its task '${vouching}'): ` +
      `this one would write over it. Name another ${kind === 'array' ? 'store' : 'path'}; or go on in that run's folder; ` +
      `or, where its results may go, first: blockwright clean ${other} --yes`;
    return [refusal(pipeline, pathOfReference(task, kind, name), text)];
  });
}

/** Throws ERR_PLAN for what {@link checkWriters} finds. */
export function refuseOthers(pipeline: Pipeline, planned: TaskWithPlan): void {
  const refusals = checkWriters({ pipeline, ...planned });
  if (refusals.length > 0) throw refusalsError(refusals);
}

function folderOf(noteFolder: string, { run }: OutputWriter): string {
  return resolve(withoutLinks(noteFolder), run);
}

/** The task of a writer that has done blocks, or its first one where its run is at work; undefined where it has nothing to lose. */
function vouchingTask(noteFolder: string, writer: OutputWriter): string | undefined {
  const runDirectory = folderOf(noteFolder, writer);
  const [first] = writer.tasks;
  try {
    if (statSync(runDirectory, { throwIfNoEntry: false }) === undefined) return undefined;
    const folder = new RunFolder(runDirectory);
    const done = writer.tasks.find((task) => hasSuccess(folder.doneRecord(task)));
    return done ?? (lockOwner(runDirectory) === undefined ? undefined : first);
  } catch {
    // a record that is damaged, or that we may not read, is still one
    return first;
  }
}

/** Undefined where there is no note, or nothing that can be one. Throws ERR_IO where it cannot be read. */
function readWriter(file: string): OutputWriter | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw ioError('reading', file, error);
  }
  const found = WRITER.safeParse(parsed(text));
  return found.success ? found.data : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
