import { readFileSync, statSync } from 'node:fs';
import { link, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { hasSuccess } from '../coordinator/done-record.js';
import { RunFolder } from '../coordinator/run-folder.js';
import { lockOwner } from '../coordinator/run-lock.js';
import { codeOf } from '../errors.js';
import { isAddress } from '../storage/address.js';
import { createFile, createFolder, replaceFile } from '../storage/array-folder.js';
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
  readonly task: string;
}

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
    // no task's name has an @: a LUT may be called as a graph with a task's name behind it
    const whose = resource.kind === 'graph' ? `@${task.name}` : '';
    return [{ resource, path, folder: dirname(path), file: `.${basename(path)}${whose}${WRITER_FILE}` }];
  });
}

/**
 * Notes beside what a task writes which run does so. Throws ERR_PLAN where another one came first since the writers were
 * checked.
 */
export async function noteWriter(pipeline: Pipeline, planned: TaskWithPlan): Promise<void> {
  const { task } = planned;
  for (const { folder, file } of notesOf(pipeline, planned)) {
    await createFolder(folder);
    const run = relative(withoutLinks(folder), withoutLinks(pipeline.runDirectory));
    const known = readWriter(join(folder, file));
    if (known?.run === run && known.task === task.name) continue;
    const writer: OutputWriter = { run, task: task.name };
    const text = `${JSON.stringify(writer)}\n`;
    if (known !== undefined) await removeNote(join(folder, file), known);
    if (await createFile(join(folder, file), text)) continue;
    refuseOthers(pipeline, planned);
    await replaceFile(join(folder, file), text);
  }
}

/** Removes the note of a run that is over, but not what another one has put in its place since. */
async function removeNote(path: string, known: OutputWriter): Promise<void> {
  const aside = join(dirname(path), temporaryName());
  try {
    await rename(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if (!isDeepStrictEqual(readWriter(aside), known)) {
    await link(aside, path).catch((error) => (codeOf(error) === 'EEXIST' ? undefined : rename(aside, path)));
  }
  await rm(aside, { force: true });
}

/**
 * Blocks that another run has recorded as done vouch for what they have written: a run with a folder of its own does not write
 * over it. Where that run's folder is gone, or has nothing done, there is nothing to vouch for.
 */
export function checkWriters({ pipeline, task, plan }: Pick<Check, 'pipeline' | 'task' | 'plan'>): Refusal[] {
  return notesOf(pipeline, { task, plan }).flatMap(({ resource, path, folder, file }) => {
    const writer = readWriter(join(folder, file));
    if (writer === undefined) return [];
    const other = resolve(withoutLinks(folder), writer.run);
    if (other === withoutLinks(pipeline.runDirectory) || !isInUse(other, writer.task)) return [];
    const { kind, name } = resource;
    const text =
      `${describeResource(resource)} (${path}) was written by another run, whose folder is ${other} (its task '${writer.task}'): ` +
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

function isInUse(runDirectory: string, task: string): boolean {
  try {
    if (statSync(runDirectory, { throwIfNoEntry: false }) === undefined) return false;
    return hasSuccess(new RunFolder(runDirectory).doneRecord(task)) || lockOwner(runDirectory) !== undefined;
  } catch {
    // a record that is damaged, or that we may not read, is still one
    return true;
  }
}

/** Undefined where there is no note, or none that can be read: what is unknown is not refused. */
function readWriter(file: string): OutputWriter | undefined {
  try {
    const { run, task } = JSON.parse(readFileSync(file, 'utf8')) as Partial<OutputWriter>;
    return typeof run === 'string' && typeof task === 'string' ? { run, task } : undefined;
  } catch {
    return undefined;
  }
}
