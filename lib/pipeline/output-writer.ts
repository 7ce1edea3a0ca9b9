import { readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { hasSuccess } from '../coordinator/done-record.js';
import { RunFolder } from '../coordinator/run-folder.js';
import { lockOwner } from '../coordinator/run-lock.js';
import { isAddress } from '../storage/address.js';
import { createFile, replaceFile } from '../storage/array-folder.js';
import { WRITER_FILE } from '../storage/stored-files.js';
import type { Check } from './check.js';
import { withoutLinks } from './paths.js';
import type { Pipeline } from './pipeline.js';
import { pathOfReference } from './plan-context.js';
import { type Refusal, refusal, refusalsError } from './refusal.js';
import { describeResource, outputStore, resourceOf } from './resource-key.js';
import type { TaskWithPlan } from './upstream.js';

/** Which run writes an array. */
interface OutputWriter {
  /** Its folder, from that of the array, so that both can be moved together. */
  readonly run: string;
  readonly task: string;
}

/**
 * Notes in the folders of the arrays of a task which run writes them. Throws ERR_PLAN where another one came first since the
 * writers were checked.
 */
export async function noteWriter(pipeline: Pipeline, planned: TaskWithPlan): Promise<void> {
  const { task, plan } = planned;
  for (const output of plan.outputs) {
    const store = outputStore(pipeline, output);
    const run = relative(withoutLinks(store), withoutLinks(pipeline.runDirectory));
    const known = readWriter(store);
    if (known?.run === run && known.task === task.name) continue;
    const writer: OutputWriter = { run, task: task.name };
    const [path, text] = [join(store, WRITER_FILE), `${JSON.stringify(writer)}\n`];
    if (known === undefined && (await createFile(path, text))) continue;
    refuseOthers(pipeline, planned);
    await replaceFile(path, text);
  }
}

/**
 * Blocks that another run has recorded as done vouch for what is in their arrays: a run with a folder of its own does not write
 * over them. Where that run's folder is gone, or has nothing done, there is nothing to vouch for.
 */
export function checkWriters({ pipeline, task, plan }: Pick<Check, 'pipeline' | 'task' | 'plan'>): Refusal[] {
  return plan.outputs.flatMap((output) => {
    const store = outputStore(pipeline, output);
    const writer = isAddress(store) ? undefined : readWriter(store);
    if (writer === undefined) return [];
    const other = resolve(withoutLinks(store), writer.run);
    if (other === withoutLinks(pipeline.runDirectory) || !isInUse(other, writer.task)) return [];
    const resource = resourceOf(output);
    const text =
      `${describeResource(resource)} (${store}) was written by another run, whose folder is ${other} (its task '${writer.task}'): ` +
      `this one would write over it. Name another store; or go on in that run's folder; or, where its results may go, first: blockwright clean ${other} --yes`;
    return [refusal(pipeline, pathOfReference(task, 'array', output.name), text)];
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
function readWriter(store: string): OutputWriter | undefined {
  try {
    const { run, task } = JSON.parse(readFileSync(join(store, WRITER_FILE), 'utf8')) as Partial<OutputWriter>;
    return typeof run === 'string' && typeof task === 'string' ? { run, task } : undefined;
  } catch {
    return undefined;
  }
}
