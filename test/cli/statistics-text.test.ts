import { expect, test } from '@jest/globals';
import { formatTime } from '../../lib/cli/format.js';
import { statisticsLine, statisticsText, utilisationText } from '../../lib/cli/statistics-text.js';
import { statisticsOf } from '../../lib/coordinator/run-statistics.js';
import { TaskTally } from '../../lib/coordinator/task-tally.js';
import { toyPlan } from '../support/toy-run.js';

function tally(name: string, blocks: number): TaskTally {
  const plan = toyPlan([2, 3]);
  const found = new TaskTally(name, 'a');
  for (let block = 0; block < blocks; block++) {
    const cost = { read: 0.25, write: 0.125, cpu: 0.5, memory: 2 ** 28, bytesRead: 2 ** 20, bytesWritten: 2 ** 10 };
    found.add({ block, attempt: 1, worker: '1.0', outcome: 'done', seconds: (block + 1) / 2, cost }, plan);
  }
  found.sums.seconds = 2;
  return found;
}

const span = { seconds: 4, workerSeconds: 8 };
const tasks = [tally('fragments', 4).toJSON(), tally('idle', 0).toJSON()];

// percentiles are exact to 1 %: 997 ms stands for 1 s
test('the statistics of one run are three tables of 80 columns', () => {
  const statistics = statisticsOf({ ...span, tasks });
  const run = { epoch: 1, started: '', written: '', state: 'complete' as const, ...statistics };
  expect(statisticsText({ runs: [run], total: { runs: 1, ...statistics } })).toBe(`\
the run: 4.0 s; workers were there for 8.0 s, at blocks 63 % of it

a block    blocks  failed  lost  median   90 %   99 %  longest   rate
fragments       4       0     0  997 ms  2.0 s  2.0 s    2.0 s  2.0/s

in all      busy  read  compute  write    CPU  bytes in      out     peak
fragments  5.0 s  20 %     70 %   10 %  2.0 s   4.0 MiB  4.0 KiB  256 MiB

slowest    block    time  worker  writeRoi
fragments      3   2.0 s     1.0  [10,0] + [10,10]
fragments      2   1.5 s     1.0  [0,20] + [10,10]
fragments      1   1.0 s     1.0  [0,10] + [10,10]
fragments      0  500 ms     1.0  [0,0] + [10,10]`);
});

test('of several runs there are all, and the last', () => {
  const one = statisticsOf({ ...span, tasks });
  const run = { epoch: 2, started: '', written: '', state: 'interrupted' as const, ...one };
  const text = statisticsText({ runs: [run], total: { runs: 2, ...statisticsOf({ ...span, seconds: 9, tasks }) } });
  expect(text).toContain('all 2 runs: 9.0 s;');
  expect(text).toContain('\nthe last run, interrupted: 4.0 s;');
});

test('a task is one line at the end of a run, if it did anything', () => {
  const { tasks: found, ...rest } = statisticsOf({ ...span, tasks });
  expect(found.map(statisticsLine)).toEqual([
    'fragments: 997 ms a block, at most 2.0 s; read 20 %, compute 70 %, write 10 %; peak 256 MiB',
    undefined,
  ]);
  expect(utilisationText({ ...rest, tasks: found })).toBe('workers at blocks 63 % of 8.0 s');
  expect(utilisationText({ ...rest, workerSeconds: 0, tasks: found })).toBeUndefined();
});

test('times of blocks', () => {
  const texts = [0, 2e-7, 3.5e-5, 0.00099949, 0.0012, 0.9994, 0.9996, 75].map(formatTime);
  expect(texts).toEqual(['0 µs', '0.2 µs', '35 µs', '999 µs', '1.2 ms', '999 ms', '1.0 s', '1 min 15 s']);
});
