import { expect, test } from '@jest/globals';
import { DoneCommits, type FinishedBlock } from '../../lib/coordinator/done-commits.js';
import type { DoneRecord } from '../../lib/coordinator/done-record.js';

/** A record that writes down what happens, and whose syncs end when the test says so. */
class SlowRecord {
  readonly log: string[] = [];
  private syncs: { end(): void; fail(error: Error): void }[] = [];

  mark(blocks: readonly number[], state: number): void {
    this.log.push(`mark ${blocks} ${state}`);
  }

  flush(): Promise<void> {
    this.log.push('sync');
    return new Promise((resolve, reject) => this.syncs.push({ end: resolve, fail: reject }));
  }

  async endSyncs(error?: Error): Promise<void> {
    for (const { end, fail } of this.syncs.splice(0)) error === undefined ? end() : fail(error);
    await new Promise(setImmediate);
  }
}

const turn = () => new Promise(setImmediate);
const block = (index: number, outcome: 'done' | 'skipped' = 'done'): FinishedBlock => ({
  task: 0,
  block: index,
  outcome,
});

test('a block is committed after its mark is synced, and those that come meanwhile share the next sync', async () => {
  const record = new SlowRecord();
  const committed: number[][] = [];
  const commits = new DoneCommits(
    [record as unknown as DoneRecord],
    (group) => committed.push(group.map((finished) => finished.block)),
    (error) => {
      throw error;
    },
  );
  commits.add(block(5));
  commits.add(block(3));
  await turn();
  await turn();
  expect(record.log).toEqual(['mark 3,5 1', 'sync']);
  for (let i = 10; i < 15; i++) commits.add(block(i, i === 12 ? 'skipped' : 'done'));
  await turn();
  expect(committed).toEqual([]);
  expect(record.log).toHaveLength(2);
  await record.endSyncs();
  expect(committed).toEqual([[5, 3]]);
  expect(record.log.slice(2)).toEqual(['mark 10,11,13,14 1', 'mark 12 2', 'sync', 'sync']);
  await record.endSyncs();
  expect(committed).toEqual([
    [5, 3],
    [10, 11, 12, 13, 14],
  ]);
  await commits.settled();
});

test('a sync that fails commits nothing', async () => {
  const record = new SlowRecord();
  const errors: unknown[] = [];
  const commits = new DoneCommits(
    [record as unknown as DoneRecord],
    () => errors.push('committed'),
    (error) => errors.push(error),
  );
  commits.add(block(1));
  await turn();
  await turn();
  const error = new Error('EIO');
  await record.endSyncs(error);
  expect(errors).toEqual([error]);
  await commits.settled();
});

test('groups follow each other at a pace while nobody waits for them', async () => {
  const record = new SlowRecord();
  let committed = 0;
  const commits = new DoneCommits(
    [record as unknown as DoneRecord],
    () => committed++,
    (error) => {
      throw error;
    },
    () => false,
  );
  // the first at once; what comes in the many turns of the loop within its pace is one group
  commits.add(block(0));
  await turn();
  await turn();
  expect(record.log).toEqual(['mark 0 1', 'sync']);
  for (let i = 1; i <= 3; i++) commits.add(block(i));
  const turned = record.endSyncs();
  // no timer can end before these have
  for (let i = 0; i < 50; i++) await Promise.resolve();
  expect(committed).toBe(1);
  expect(record.log).toHaveLength(2);
  for (let i = 4; i <= 6; i++) commits.add(block(i));
  await turned;
  while (record.log.length < 4) await turn();
  expect(record.log.slice(2)).toEqual(['mark 1,2,3,4,5,6 1', 'sync']);
  await record.endSyncs();
  await commits.settled();
  expect(committed).toBe(2);
});
