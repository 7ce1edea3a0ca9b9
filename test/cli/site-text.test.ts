import { expect, test } from '@jest/globals';
import { siteText } from '../../lib/cli/site-text.js';
import { absent, doubtful, good, wrong } from '../../lib/site/finding.js';

test('what was found, one line a finding, what to do below it; long texts are wrapped, control characters are gone', () => {
  const sections = [
    { subject: 'machine', findings: [good('memory', '8.0 GiB'), absent('GPU', 'none')] },
    { subject: 'nothing', findings: [] },
    {
      subject: 'SLURM',
      findings: [
        doubtful('queue', 'a \u001b[31mred\u001b[0m answer that is longer than the line is wide', 'look at it again'),
        wrong('partitions', 'none', 'ask who runs it, and ask those who run the network of it'),
      ],
    },
  ];
  expect(siteText(sections, 60).split('\n')).toEqual([
    'machine',
    '  good      memory      8.0 GiB',
    '  -         GPU         none',
    '',
    'SLURM',
    '  doubtful  queue       a red answer that is longer than the',
    '                        line is wide',
    '                        -> look at it again',
    '  WRONG     partitions  none',
    '                        -> ask who runs it, and ask those',
    '                           who run the network of it',
    '',
    'wrong: 1 wrong, 1 doubtful, of 4 findings',
  ]);
});

test('the last line is the verdict', () => {
  const last = (...findings: ReturnType<typeof good>[]) =>
    siteText([{ subject: 'x', findings }])
      .split('\n')
      .at(-1);
  expect(last(good('a', 'b'))).toBe('good: nothing is wrong or doubtful among 1 finding');
  expect(last(good('a', 'b'), doubtful('a', 'b', 'c'))).toBe(
    'good enough: nothing is wrong, 1 doubtful, of 2 findings',
  );
});
