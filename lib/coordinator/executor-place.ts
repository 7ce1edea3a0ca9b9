import type { RunEvent } from './events.js';
import type { Executor, ExecutorPlace } from './executor.js';
import type { Journal } from './journal.js';
import type { RunFolder } from './run-folder.js';

interface Run {
  readonly folder: RunFolder;
  readonly epoch: number;
  readonly journal: Journal;
  readonly executor: Executor;
  readonly pool: number;
  onEvent(event: RunEvent): void;
}

/** What an executor knows of its run; what it says goes to the journal and the watchers. */
export function executorPlace({ folder, epoch, journal, executor, pool, onEvent }: Run): ExecutorPlace {
  return {
    runDirectory: folder.path,
    epoch,
    pool,
    notice(message) {
      onEvent({ type: 'executor-notice', message });
      journal.write('executor-notice', { executor: executor.name, message });
    },
    waiting: (workers, reason) => onEvent({ type: 'workers-waiting', workers, reason }),
  };
}
