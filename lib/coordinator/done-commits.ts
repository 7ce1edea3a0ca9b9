import { setTimeout as delay } from 'node:timers/promises';
import type { DoneRecord } from './done-record.js';
import { RecordedState } from './done-record-metadata.js';

/** Milliseconds between groups that follow each other: more blocks share a sync then, and one after a pause need not wait. */
const PACE = 2;

/** A block that a worker has finished and whose mark is on its way to the disk. */
export interface FinishedBlock {
  readonly task: number;
  readonly block: number;
  readonly outcome: 'done' | 'skipped';
}

/**
 * Writes done marks in groups: while one group is synced, the next gathers. A block is acknowledged, and what waits for it
 * may start, only when its mark is on disk; so after a power failure no block is done whose upstream blocks are not.
 */
export class DoneCommits<Finished extends FinishedBlock> {
  private gathering: Finished[] = [];
  private writing: Promise<void> | undefined;
  /** When the last group was on disk. */
  private ended = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly records: readonly DoneRecord[],
    /** Gets each group in the order in which it was added. */
    private readonly onCommitted: (group: readonly Finished[]) => void,
    private readonly onFailure: (error: unknown) => void,
    /** Whether somebody has nothing to do until these are written. */
    private readonly isUrgent: () => boolean = () => true,
  ) {}

  add(finished: Finished): void {
    this.gathering.push(finished);
    this.writing ??= this.write().catch(this.onFailure);
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.writing !== undefined) await this.writing;
  }

  private async write(): Promise<void> {
    try {
      // what arrives in the same turn of the event loop joins
      await new Promise(setImmediate);
      while (this.gathering.length > 0) {
        if (performance.now() - this.ended < PACE && !this.isUrgent()) await delay(PACE);
        const group = this.gathering;
        this.gathering = [];
        const touched = new Map<string, { record: DoneRecord; state: 1 | 2; blocks: number[] }>();
        for (const { task, block, outcome } of group) {
          const key = `${outcome} ${task}`;
          let entry = touched.get(key);
          if (entry === undefined) {
            entry = { record: this.records[task], state: RecordedState[outcome], blocks: [] };
            touched.set(key, entry);
          }
          entry.blocks.push(block);
        }
        for (const { record, state, blocks } of touched.values()) {
          record.mark(
            blocks.sort((a, b) => a - b),
            state,
          );
        }
        await Promise.all([...touched.values()].map(({ record }) => record.flush()));
        this.onCommitted(group);
        this.ended = performance.now();
      }
    } finally {
      this.writing = undefined;
    }
  }
}
