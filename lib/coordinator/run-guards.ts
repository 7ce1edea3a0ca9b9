import type { RunEvent, StopReason } from './events.js';
import { FreeSpace, type FreeSpaceOptions } from './free-space.js';
import type { Journal } from './journal.js';

export interface GuardSettings {
  readonly freeSpace: FreeSpaceOptions;
  /** When the run stops in order, as performance.now() tells the time; infinite: never. */
  readonly deadline: number;
}

export interface RunGuardsOptions extends GuardSettings {
  readonly journal: Journal;
  onEvent(event: RunEvent): void;
  /** Blocks may be begun again, or no more. */
  onChange(): void;
}

/** What holds up or ends a run from outside: a full disk and the deadline. */
export class RunGuards {
  readonly space: FreeSpace;

  constructor(private readonly options: RunGuardsOptions) {
    this.space = new FreeSpace(options.freeSpace, () => this.spaceChanged());
  }

  /** Whether no blocks are to be begun for now. */
  get paused(): boolean {
    return this.space.shortage !== undefined;
  }

  /** Why the run is to be stopped, if it is. */
  get stopReason(): StopReason | undefined {
    if (performance.now() > this.options.deadline) return 'deadline';
    return this.space.spent ? 'space' : undefined;
  }

  private spaceChanged(): void {
    const { shortage } = this.space;
    const { onEvent, onChange } = this.options;
    onEvent(shortage === undefined ? { type: 'resumed' } : { type: 'paused', reason: shortage });
    this.note(shortage === undefined ? 'resumed' : 'paused', { reason: shortage });
    onChange();
  }

  /** Writes down what happens to the run; the very thing that is told may keep it from being written. */
  note(event: 'paused' | 'resumed' | 'stop', facts: Readonly<Record<string, unknown>>): void {
    try {
      this.options.journal.write(event, facts);
    } catch {
      // where the disk is the trouble, people hear of it by the event
    }
  }
}
