import { relative } from 'node:path';
import { codeOf } from '../../errors.js';
import { type StoreFinding, type StoreVerification, verifyStore } from '../../storage/verify-store.js';
import { defineCommand } from '../command.js';
import { ExitCode } from '../exit-code.js';
import { firstLine, formatBytes, formatCount, formatDuration, plural } from '../format.js';
import { jsonText } from '../json-text.js';
import { localFolder } from '../local-folder.js';
import { ScanProgress, scanText } from '../scan-progress.js';
import { onStopRequests } from '../stop-requests.js';

export interface VerifyArguments {
  readonly path: string;
  readonly threads: number | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
}

export const verifyCommand = defineCommand<VerifyArguments>({
  command: 'verify <path>',
  describe: 'Read every chunk of an array, group or image, and list what is damaged',
  options: (yargs) =>
    yargs
      .positional('path', { type: 'string', demandOption: true, describe: 'Folder of an array, group or image' })
      .option('threads', {
        type: 'number',
        describe: 'Chunks that are read at once. Default: the cores of the machine, at most 4',
        coerce: (value: unknown) => {
          if (value === undefined || (Number.isInteger(value) && (value as number) >= 1)) return value as number;
          throw new Error('--threads: expected a whole number of at least 1');
        },
      })
      .option('json', {
        type: 'boolean',
        default: false,
        describe: 'Findings, progress and result as JSON, one a line',
      })
      .option('quiet', { type: 'boolean', default: false, describe: 'No progress, only findings and the result' }),
  run: async ({ path, threads, json, quiet }, console) => {
    const folder = localFolder('verify', path);
    const began = performance.now();
    const lines = { write: (text: string) => console.out(text.trimEnd()) };
    const progress = quiet ? undefined : new ScanProgress(json ? lines : console.progress, scanText, { json });
    const stop = onStopRequests((request) => {
      if (request === 'kill') process.exit(ExitCode.interrupted);
    });
    const show = (text: string) =>
      progress === undefined ? console.out(text) : progress.around(() => console.out(text));
    try {
      const result = await verifyStore(folder, {
        threads,
        signal: stop.stop,
        onFinding: (finding) => show(json ? jsonText({ type: 'finding', ...finding }) : findingText(finding, folder)),
        onArray: (array, one) => {
          if (json) show(jsonText({ type: 'array', array, ...one }));
        },
        onProgress: (state) => progress?.update(state),
      });
      progress?.stop();
      const seconds = (performance.now() - began) / 1000;
      console.out(
        json ? jsonText({ type: 'result', good: isGood(result), ...result, seconds }) : resultText(result, seconds),
      );
      return isGood(result) ? ExitCode.complete : ExitCode.incomplete;
    } catch (error) {
      progress?.stop();
      if (codeOf(error) === 'ERR_CANCELLED') console.error('blockwright: interrupted; what comes after was not read');
      else throw error;
      return ExitCode.interrupted;
    } finally {
      progress?.stop();
      stop.release();
    }
  },
});

/** Files that no reader looks at do not make a store bad. */
function isGood({ damaged, unreadable }: StoreVerification): boolean {
  return damaged === 0 && unreadable === 0;
}

/** Arrays are named as they lie in what is verified; a single one is not named again. */
function findingText(finding: StoreFinding, root: string): string {
  const { kind, array, message } = finding;
  if (kind === 'unreadable') return `unreadable: ${firstLine(message)}`;
  const voxels =
    finding.voxels === undefined
      ? ''
      : ` (voxels [${finding.voxels.begin.join(', ')}] to [${finding.voxels.end.join(', ')}])`;
  return `${kind}: ${firstLine(`${finding.key}${array === root ? '' : ` of ${relative(root, array)}`}: ${message}`, 1000)}${voxels}`;
}

function resultText(result: StoreVerification, seconds: number): string {
  const { arrays, files, bytes, damaged, unreadable, beyondGrid, temporaries, strays } = result;
  const others = [
    beyondGrid > 0 ? `${plural(beyondGrid, 'chunk')} beyond the array` : '',
    temporaries > 0 ? plural(temporaries, 'temporary file') : '',
    strays > 0 ? `${plural(strays, 'file')} that ${strays === 1 ? 'is' : 'are'} no chunk` : '',
  ].filter((text) => text !== '');
  const bad = [
    damaged > 0 ? plural(damaged, 'damaged chunk') : '',
    unreadable > 0 ? `${formatCount(unreadable)} that cannot be opened` : '',
  ].filter((text) => text !== '');
  const read = `${plural(files, 'chunk file')} of ${plural(arrays, 'array')} read, ${formatBytes(bytes)} of voxels in ${formatDuration(seconds)}`;
  const rest = others.length === 0 ? '' : `; beside them ${others.join(', ')}`;
  return `${bad.length === 0 ? 'good' : `bad: ${bad.join(', ')}`}: ${read}${rest}`;
}
