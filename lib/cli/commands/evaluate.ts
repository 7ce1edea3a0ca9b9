import { resolve } from 'node:path';
import type { Argv } from 'yargs';
import { codeOf } from '../../errors.js';
import { type EvaluationProgress, evaluateVolumes } from '../../evaluation/evaluate-volumes.js';
import { Roi } from '../../geometry/roi.js';
import { openLut } from '../../graph/lut.js';
import { isAddress } from '../../storage/address.js';
import { NpyVolume } from '../../storage/npy-volume.js';
import { openArray } from '../../storage/open-store.js';
import type { Volume } from '../../storage/volume.js';
import { defineCommand } from '../command.js';
import { parseRoi } from '../copy-options.js';
import { evaluationProgressText, evaluationText } from '../evaluation-text.js';
import { ExitCode } from '../exit-code.js';
import { jsonText } from '../json-text.js';
import { ScanProgress } from '../scan-progress.js';
import { onStopRequests } from '../stop-requests.js';

export interface EvaluateArguments {
  readonly segmentation: string;
  readonly truth: string;
  readonly mask: string | undefined;
  readonly lut: string | undefined;
  readonly roi: { readonly offset: readonly number[]; readonly shape: readonly number[] } | undefined;
  readonly worst: number;
  readonly truthBackground: boolean;
  readonly distinctPairs: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
}

export const evaluateCommand = defineCommand<EvaluateArguments>({
  command: 'evaluate <segmentation> <truth>',
  describe: 'Score a segmentation (VOI, adapted Rand error), and list its largest merges and splits',
  options: (yargs) =>
    yargs
      .positional('segmentation', {
        type: 'string',
        demandOption: true,
        describe: 'Array of labels: zarr, or a .npy file',
      })
      .positional('truth', { type: 'string', demandOption: true, describe: 'Array of the true labels' })
      .option('mask', { type: 'string', describe: 'Array: voxels where it is 0, or where it is not, are left out' })
      .option('lut', {
        type: 'string',
        describe: 'A LUT: the segmentation holds fragments, and the segments of this LUT are scored',
      })
      .option('roi', {
        type: 'string',
        nargs: 1, // begins with a minus where the offset does
        coerce: parseRoi,
        describe: 'Only this part, in world units: z,y,x:z,y,x (offset and shape)',
      })
      .option('worst', {
        type: 'number',
        default: 10,
        describe: 'Merges and splits to list',
        coerce: (value: unknown) => {
          if (Number.isInteger(value) && (value as number) >= 0) return value as number;
          throw new Error('--worst: expected a whole number of at least 0');
        },
      })
      .option('truth-background', {
        type: 'boolean',
        default: false,
        describe: 'Count truth 0 as a segment; otherwise its voxels are left out',
      })
      .option('distinct-pairs', {
        type: 'boolean',
        default: false,
        describe: 'Rand: no voxel makes a pair with itself, as in scikit-image',
      })
      .option('json', { type: 'boolean', default: false, describe: 'The result as JSON' })
      .option('quiet', {
        type: 'boolean',
        default: false,
        describe: 'No progress, only the result',
      }) as unknown as Argv<EvaluateArguments>,
  run: async (found, console) => {
    const { roi, worst, truthBackground, distinctPairs, json, quiet } = found;
    const progress = quiet ? undefined : new ScanProgress<EvaluationProgress>(console.progress, evaluationProgressText);
    const stop = onStopRequests((request) => {
      if (request === 'kill') process.exit(ExitCode.interrupted);
    });
    try {
      const [volumes, lut] = await Promise.all([
        openAll([found.segmentation, found.truth, ...(found.mask === undefined ? [] : [found.mask])]),
        found.lut === undefined ? undefined : openLut(resolve(found.lut)),
      ]);
      const [segmentation, truth, mask] = volumes;
      const evaluation = await evaluateVolumes(
        { segmentation, truth, mask, lut },
        {
          roi: roi === undefined ? undefined : new Roi(roi.offset, roi.shape),
          worst,
          ignoreTruthBackground: !truthBackground,
          distinctPairs,
          signal: stop.stop,
          onProgress: (state) => progress?.update(state),
        },
      );
      progress?.stop();
      console.out(json ? jsonText(evaluation, 2) : evaluationText(evaluation, !truthBackground));
      return ExitCode.complete;
    } catch (error) {
      progress?.stop();
      if (codeOf(error) !== 'ERR_CANCELLED') throw error;
      console.error('blockwright: interrupted; nothing was scored');
      return ExitCode.interrupted;
    } finally {
      progress?.stop();
      stop.release();
    }
  },
});

/** A .npy file has no place in the world: it takes that of the first of the others that has as many voxels along every axis. */
async function openAll(paths: readonly string[]): Promise<Volume[]> {
  const opened = await Promise.all(paths.map((path) => openArray(isAddress(path) ? path : resolve(path))));
  const placed = opened.find((one) => !isNpyVolume(one));
  return opened.map((one) => (placed !== undefined && isNpyVolume(one) ? one.placedLike(placed.metadata) : one));
}

const isNpyVolume = (volume: Volume): volume is NpyVolume => volume instanceof NpyVolume;
