import { lstatSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { RunLock } from '../coordinator/run-lock.js';
import { openLut } from '../graph/lut.js';
import type { Resource } from '../workers/task-definition.js';
import { isWrittenBy } from './output-writer.js';
import type { PipelinePlan } from './plan.js';
import { describeResource, resourcePath } from './resource-key.js';
import { writesOf } from './upstream.js';

/** What the tasks of a pipeline write and is there. */
export interface RunOutput {
  /** With its name, for messages. */
  readonly what: string;
  readonly path: string;
  /** Why it is not removed; undefined where it is. */
  readonly stays: string | undefined;
}

/** Finds what {@link removeOutputs} would remove, and what it would leave; changes nothing. */
export async function listOutputs({ pipeline, tasks }: PipelinePlan): Promise<RunOutput[]> {
  const found = new Map<string, RunOutput>();
  for (const resource of tasks.flatMap(({ plan }) => writesOf(plan))) {
    const path = resourcePath(pipeline, resource);
    if (found.has(path) || lstatSync(path, { throwIfNoEntry: false }) === undefined) continue;
    const stays = await whyItStays(resource, path, pipeline.runDirectory);
    found.set(path, { what: describeResource(resource), path, stays });
  }
  return [...found.values()];
}

/** Removes them while nobody can begin the run; links inside are removed, never followed. Throws ERR_RUN_LOCKED. */
export async function removeOutputs(outputs: readonly RunOutput[], runDirectory: string): Promise<void> {
  const lock = RunLock.acquire(runDirectory);
  try {
    for (const { path, stays } of outputs) if (stays === undefined) await rm(path, { recursive: true });
  } finally {
    lock.release();
  }
}

/** Only what is certainly this run's goes: its note stands beside an array, and a LUT is opened as one. */
async function whyItStays({ kind }: Resource, path: string, runDirectory: string): Promise<string | undefined> {
  if (lstatSync(path).isSymbolicLink()) return 'is a link';
  if (kind === 'graph') return 'other runs may have rows in it; the next run removes its own';
  if (kind === 'array') return isWrittenBy(path, runDirectory) ? undefined : 'no note of this run is in it';
  if (kind === 'file') return 'is a file or folder whose content is not known';
  return openLut(path).then(
    () => undefined,
    () => 'is no LUT that can be read',
  );
}
