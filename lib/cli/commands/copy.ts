import type { Argv } from 'yargs';
import { codeOf } from '../../errors.js';
import { type CopyRequest, copyPipeline, removeCopyRun } from '../../pipeline/copy.js';
import { type PipelinePlan, planPipeline } from '../../pipeline/plan.js';
import { innermostChunk } from '../../storage/array-format.js';
import { codecText } from '../../storage/codec-text.js';
import { newFormat } from '../../storage/create-array.js';
import { times } from '../array-text.js';
import { defineCommand } from '../command.js';
import { parseCompressor, parseNumbers, parseOperations, parseRoi, parseTexts, withOptions } from '../copy-options.js';
import { ExitCode, exitCodeOfError } from '../exit-code.js';
import { plural } from '../format.js';
import { runWithProgress } from '../run-with-progress.js';
import { workersOption } from './run.js';

export interface CopyArguments {
  readonly source: string;
  readonly target: string;
  readonly chunks: CopyRequest['chunkShape'];
  readonly shards: CopyRequest['shardShape'];
  readonly compressor: CopyRequest['compressor'];
  readonly zarrFormat: 2 | 3 | undefined;
  readonly ome: CopyRequest['ome'];
  readonly axes: readonly string[] | undefined;
  readonly voxelSize: readonly number[] | undefined;
  readonly offset: readonly number[] | undefined;
  readonly units: readonly string[] | undefined;
  readonly operations: CopyRequest['operations'];
  readonly dataType: string | undefined;
  readonly fill: string | undefined;
  readonly roi: CopyRequest['roi'];
  readonly begin: CopyRequest['begin'];
  readonly end: CopyRequest['end'];
  readonly block: CopyRequest['blockSize'];
  readonly workers: number | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
}

export const copyCommand = defineCommand<CopyArguments>({
  command: 'copy <source> <target>',
  describe: 'Copy an array, block by block: other chunks, shards, codecs, a part of it',
  options: (yargs) =>
    workersOption(yargs)
      .positional('source', { type: 'string', demandOption: true, describe: 'The array (a level of an image is one)' })
      .positional('target', { type: 'string', demandOption: true, describe: 'Where the copy will be' })
      .option('chunks', {
        type: 'string',
        coerce: parseNumbers('--chunks', 1),
        describe: 'Voxels of a chunk: z,y,x. Default: as in the source',
      })
      .option('shards', {
        type: 'string',
        coerce: parseNumbers('--shards', 1),
        describe: 'Voxels of a shard: z,y,x. Default: as in the source, none with --chunks',
      })
      .option('compressor', {
        type: 'string',
        coerce: parseCompressor,
        describe:
          'none, zstd:LEVEL, gzip:LEVEL, blosc:NAME:LEVEL:none|bytes|bits; of zarr v2 also zlib:LEVEL, lz4. Default: zstd:1',
      })
      .option('zarr-format', { type: 'number', choices: [2, 3], describe: 'Default: 3' })
      .option('ome', {
        type: 'string',
        choices: ['0.4', '0.5'],
        describe: 'Make the target an OME-Zarr image of one level, s0',
      })
      .option('axes', {
        type: 'string',
        coerce: parseTexts,
        describe: "Names of the axes, where the source lacks them; channels first, with a '^': c^,z,y,x",
      })
      .option('voxel-size', {
        type: 'string',
        coerce: parseNumbers('--voxel-size', 1),
        describe: 'World units of a voxel, where the source lacks them: z,y,x',
      })
      .option('offset', {
        type: 'string',
        coerce: parseNumbers('--offset', Number.MIN_SAFE_INTEGER),
        describe: 'World units of the corner, where the source lacks them: z,y,x',
      })
      .option('units', {
        type: 'string',
        coerce: parseTexts,
        describe: 'Units, one a physical axis, where the source lacks them: nm,nm,nm',
      })
      .option('operations', {
        type: 'string',
        coerce: parseOperations,
        describe: 'What to do on the way: a list of lazy operations as JSON, or a file of it (JSON or YAML)',
      })
      .option('data-type', { type: 'string', describe: 'Convert to this type, after the operations' })
      .option('fill', { type: 'string', describe: 'Value of voxels without a chunk. Default: as in the source' })
      .option('roi', {
        type: 'string',
        nargs: 1, // begins with a minus where the offset does
        coerce: parseRoi,
        conflicts: ['begin', 'end'],
        describe: 'Copy only this part, in world units: z,y,x:z,y,x (offset and shape)',
      })
      .option('begin', { type: 'string', coerce: parseNumbers('--begin', 0), describe: 'First voxel to copy: z,y,x' })
      .option('end', { type: 'string', coerce: parseNumbers('--end', 1), describe: 'Voxel behind the last: z,y,x' })
      .option('block', {
        type: 'string',
        coerce: parseNumbers('--block', 1),
        describe: 'Voxels of a block: z,y,x. Default: whole chunks or shards, about 64 MiB',
      })
      .option('json', { type: 'boolean', default: false, describe: 'Events and result as JSON, one a line' })
      .option('quiet', {
        type: 'boolean',
        default: false,
        describe: 'No progress, only the result',
      }) as unknown as Argv<CopyArguments>,
  run: async (found, console) => {
    const { source, target, chunks, shards, compressor, zarrFormat, fill, roi, begin, end, block, ...how } = found;
    const { ome, axes: axisNames, voxelSize, offset, units, dataType, operations = [] } = found;
    const place = Object.entries({ axisNames, voxelSize, offset, units }).filter(([, value]) => value !== undefined);
    const placed = place.length === 0 ? [] : [{ type: 'place', ...Object.fromEntries(place) }];
    const steps = [...placed, ...operations, ...(dataType === undefined ? [] : [{ type: 'convert', dataType }])];
    const { pipeline, continues } = await copyPipeline({
      source,
      target,
      operations: steps.length === 0 ? undefined : steps,
      chunkShape: chunks,
      shardShape: shards,
      compressor,
      zarrFormat,
      ome,
      fillValue: fill,
      roi,
      begin,
      end,
      blockSize: block,
    }).catch((error: unknown) => {
      throw withOptions(error);
    });
    const { runDirectory } = pipeline;
    try {
      const plan = await planPipeline(pipeline);
      const text = how.json || how.quiet ? '' : copyText(plan, target);
      if (text !== '') console.error(text);
      const exitCode = await runWithProgress(plan, { ...how, file: runDirectory }, console);
      if (exitCode === ExitCode.complete) await removeCopyRun(pipeline);
      return exitCode;
    } catch (error) {
      const code = codeOf(error);
      // Nothing was begun: the next try, with other options, is none that goes on with this one.
      if (!continues && code !== 'ERR_RUN_LOCKED' && exitCodeOfError(error) === ExitCode.refused)
        await removeCopyRun(pipeline);
      if (continues && exitCodeOfError(error) === ExitCode.refused && code !== 'ERR_RUN_LOCKED') {
        console.error(
          `An unfinished copy is there. To go on with it, give the options that it was begun with; to start anew, remove ${runDirectory} and ${target}`,
        );
      }
      throw error;
    }
  },
});

/** What the copy will be: a plan that is refused says so when it runs. */
function copyText({ tasks }: PipelinePlan, target: string): string {
  return tasks
    .flatMap(({ plan: { blocks, outputs } }) =>
      outputs.map(({ metadata, create }) => {
        const { shape, chunkShape, shardShape, dataType, voxelSize } = metadata;
        const format = newFormat(metadata, create);
        const { codecs } = innermostChunk(format);
        const shards = shardShape === undefined ? '' : ` in shards of ${times(shardShape)}`;
        const files = `chunks of ${times(chunkShape)}${shards}, ${codecText(codecs)}`;
        const size = times(blocks.blockShape.divide(voxelSize).values);
        return `${target}: ${times(shape)} ${dataType}, zarr v${format.zarrFormat}, ${files}; ${plural(blocks.count, 'block')} of ${size}`;
      }),
    )
    .join('\n');
}
