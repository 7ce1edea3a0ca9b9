import { relative } from 'node:path';
import type { ArrayInfo } from '../../storage/array-info.js';
import { type GroupInfo, storeInfo, type UnreadableInfo } from '../../storage/store-info.js';
import { arrayLines, fillRatio, times } from '../array-text.js';
import { defineCommand } from '../command.js';
import { ExitCode } from '../exit-code.js';
import { alignColumns, firstLine, formatBytes } from '../format.js';
import { jsonText } from '../json-text.js';
import { localFolder } from '../local-folder.js';

export interface InfoArguments {
  readonly path: string;
  readonly all: boolean;
  readonly json: boolean;
}

export const infoCommand = defineCommand<InfoArguments>({
  command: 'info <path>',
  describe: 'What an array is, or which arrays and levels are in a group or image',
  options: (yargs) =>
    yargs
      .positional('path', { type: 'string', demandOption: true, describe: 'Folder of an array, group or image' })
      .option('all', {
        type: 'boolean',
        default: false,
        describe: 'Count all chunk files; else at most 20,000 of an array',
      })
      .option('json', { type: 'boolean', default: false, describe: 'As JSON' }),
  run: async ({ path, all, json }, console) => {
    const info = await storeInfo(localFolder('info', path), all ? { limit: Number.POSITIVE_INFINITY } : {});
    if (json) console.out(jsonText(info, 2));
    else console.out((info.kind === 'array' ? arrayLines(info) : groupLines(info)).join('\n'));
    return ExitCode.complete;
  },
});

function groupLines(group: GroupInfo): string[] {
  const { images, arrays, zarrFormat, complete } = group;
  const what = zarrFormat === undefined ? 'a folder' : `zarr v${zarrFormat} group`;
  const lines = [`${firstLine(group.path)}: ${what}${images.length === 0 ? '' : ', OME-Zarr image'}`];
  for (const { axes, levels } of images) {
    lines.push(
      `  axes    ${axes.map(({ name, type, unit }) => firstLine([name, type, unit].filter((part) => part !== '').join(' '))).join(', ')}`,
    );
    const rows = levels.map(({ path, scale, translation }) => [
      firstLine(path),
      scale.join(', '),
      translation.join(', '),
    ]);
    lines.push(...alignColumns([['level', 'scale', 'translation'], ...rows], [0, 1, 2]).map((line) => `  ${line}`));
  }
  const isReadable = (array: ArrayInfo | UnreadableInfo): array is ArrayInfo => array.kind === 'array';
  const rows = arrays.filter(isReadable).map((array) => {
    const least = array.stored.complete ? '' : '>= ';
    return [
      firstLine(relative(group.path, array.path)),
      array.dataType,
      times(array.shape),
      times(array.chunkShape),
      array.shards.length === 0 ? '-' : times(array.shards[0].shape),
      array.voxelSize.join(', '),
      array.offset.join(', '),
      least + formatBytes(array.stored.bytes),
      least + fillRatio(array.stored),
    ];
  });
  const head = ['array', 'type', 'shape', 'chunk', 'shard', 'voxel size', 'offset', 'on disk', 'filled'];
  if (rows.length > 0) lines.push('', ...alignColumns([head, ...rows], [0, 1, 2, 3, 4, 5, 6]));
  for (const array of arrays) {
    if (!isReadable(array))
      lines.push(`${firstLine(relative(group.path, array.path))}: cannot be read: ${firstLine(array.message)}`);
  }
  if (arrays.length === 0) lines.push('  no arrays');
  if (!complete) lines.push('and more below: look at a group of this one');
  return lines;
}
