import { join, resolve } from 'node:path';
import { makeFolderDurably } from './durable-file.js';

/**
 * Where everything of one run lies:
 *
 *     lock.<epoch>                       who runs, or ran last
 *     control/                           0700, only while a coordinator lives
 *       key  address.json  socket
 *     run.json                           state and totals
 *     journal.jsonl                      what happened, one line an event
 *     statistics.json                    what tasks took, by run and in all
 *     logs/worker-<id>.log               output of each worker
 *     tasks/<task>/done/                 zarr array, one byte a block
 *     tasks/<task>/costs/<quantity>/     zarr arrays, one value a block
 *     tasks/<task>/logs/block-<index>.log
 */
export class RunFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = resolve(path);
  }

  get control(): string {
    return join(this.path, 'control');
  }

  get key(): string {
    return join(this.control, 'key');
  }

  get address(): string {
    return join(this.control, 'address.json');
  }

  get summary(): string {
    return join(this.path, 'run.json');
  }

  get journal(): string {
    return join(this.path, 'journal.jsonl');
  }

  get statistics(): string {
    return join(this.path, 'statistics.json');
  }

  workerLog(workerId: string): string {
    return join(this.path, 'logs', `worker-${workerId}.log`);
  }

  doneRecord(task: string): string {
    return join(this.path, 'tasks', folderName(task), 'done');
  }

  /** Holds an array for each quantity of {@link COSTS}. */
  costs(task: string): string {
    return join(this.path, 'tasks', folderName(task), 'costs');
  }

  blockLog(task: string, block: number): string {
    return join(this.path, 'tasks', folderName(task), 'logs', `block-${block}.log`);
  }

  /** Makes the folders that every run has. */
  create(): void {
    makeFolderDurably(join(this.path, 'logs'));
    makeFolderDurably(join(this.path, 'tasks'));
  }
}

/** A folder's name for a task: the same for no two tasks, and never a path. */
function folderName(task: string): string {
  const bytes = [...Buffer.from(task, 'utf8')];
  return bytes
    .map((byte, at) => {
      const character = String.fromCharCode(byte);
      const plain = at === 0 ? /[A-Za-z0-9_-]/ : /[A-Za-z0-9._-]/;
      return plain.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
}
