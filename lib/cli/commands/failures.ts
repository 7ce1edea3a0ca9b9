import { readFile } from 'node:fs/promises';
import { readFailures, readRunStatus } from '../../coordinator/run-status.js';
import type { BlockFailure } from '../../coordinator/task-progress.js';
import { defineCommand } from '../command.js';
import { ExitCode } from '../exit-code.js';
import { findRunDirectory, noRun } from '../run-directory.js';

export interface FailuresArguments {
  readonly run: string;
  readonly all: boolean;
  readonly json: boolean;
}

/** Blocks of one task that failed for the same reason. */
export interface FailureGroup {
  readonly task: string;
  /** The first block's code and message. */
  readonly cause: string;
  readonly failures: readonly BlockFailure[];
}

/** Lines of a block's log that are shown. */
const EXCERPT_LINES = 10;
/** Blocks that are named without --all. */
const NAMED_BLOCKS = 20;

export const failuresCommand = defineCommand<FailuresArguments>({
  command: 'failures <run>',
  describe: 'What failed, grouped by cause, with stacks and logs',
  options: (yargs) =>
    yargs
      .positional('run', { type: 'string', demandOption: true, describe: 'The pipeline file or the run directory' })
      .option('all', {
        type: 'boolean',
        default: false,
        describe: 'Name every block, not only the first of each cause',
      })
      .option('json', { type: 'boolean', default: false, describe: 'As JSON' }),
  run: async ({ run, all, json }, console) => {
    const runDirectory = await findRunDirectory(run);
    if (readRunStatus(runDirectory) === undefined) throw noRun(runDirectory);
    const groups = groupByCause(await readFailures(runDirectory));
    if (json) {
      console.out(JSON.stringify(groups, undefined, 2));
    } else {
      const texts = await Promise.all(
        groups.map((group) => formatGroup(group, all ? Number.POSITIVE_INFINITY : NAMED_BLOCKS)),
      );
      console.out(texts.length === 0 ? 'No block failed.' : texts.join('\n\n'));
    }
    return ExitCode.complete;
  },
});

/** Messages that differ only in numbers, with the same code, have one cause. The largest group first. */
export function groupByCause(failures: readonly BlockFailure[]): FailureGroup[] {
  const groups = new Map<string, BlockFailure[]>();
  for (const failure of failures) {
    const cause = failure.message.split('\n', 1)[0].replaceAll(/\d+/g, '#');
    const key = `${failure.task}: ${failure.code}: ${cause}`;
    const group = groups.get(key) ?? [];
    group.push(failure);
    groups.set(key, group);
  }
  return [...groups.values()]
    .map((group) => group.sort((a, b) => a.block - b.block))
    .map((group) => ({ task: group[0].task, cause: describe(group[0]), failures: group }))
    .sort((a, b) => b.failures.length - a.failures.length);
}

async function formatGroup({ task, cause, failures }: FailureGroup, most: number): Promise<string> {
  const [first] = failures;
  const named = failures.slice(0, most).map(({ block }) => block);
  const more = failures.length > named.length ? ` and ${failures.length - named.length} more` : '';
  const lines = [
    `${failures.length} ${failures.length === 1 ? 'block' : 'blocks'} of ${task}: ${cause}`,
    `  ${named.length === 1 ? 'block' : 'blocks'} ${named.join(', ')}${more}`,
    `  block ${first.block}, attempt ${first.attempt}, worker ${first.workerId}${first.host === undefined ? '' : ` on ${first.host}`}:`,
    indent(first.stack),
    `  ${first.logFile}`,
  ];
  const log = await readFile(first.logFile, 'utf8').catch(() => '');
  const said = lastWords(log, first.attempt);
  if (said.length > 0) lines.push(indent(said.slice(-EXCERPT_LINES).join('\n')));
  return lines.join('\n');
}

/** The error's code, where it has one, and its message. */
function describe({ code, message }: BlockFailure): string {
  return code === undefined || message.includes(code) ? message : `${code}: ${message}`;
}

/** What the block itself logged in an attempt. How the attempt ended stands there too, but that is told already. */
function lastWords(log: string, attempt: number): string[] {
  const paragraphs = log.split(/^(?=--- attempt )/m).map((paragraph) => paragraph.trimEnd().split('\n'));
  const ofBlock = paragraphs.filter(([head]) => head.startsWith(`--- attempt ${attempt} begins to log`)).at(-1);
  return ofBlock?.slice(1) ?? [];
}

function indent(text: string): string {
  return text.trimEnd().replaceAll(/^/gm, '    ');
}
