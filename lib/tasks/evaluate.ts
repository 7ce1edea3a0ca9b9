import { z } from 'zod';
import { BlockPlan } from '../blocks/plan.js';
import { BlockwrightError } from '../errors.js';
import { evaluateTable, evaluationJson } from '../evaluation/evaluation.js';
import { openTables, putFile, readTable } from '../evaluation/table-folder.js';
import { TableSum } from '../evaluation/table-sum.js';
import { filePath } from '../workers/option-types.js';
import { defineTask } from '../workers/task-definition.js';

const options = z.strictObject({
  tables: filePath().describe('What a task `contingency` wrote.'),
  output: filePath().describe('Written: the scores and where the largest errors are, as JSON.'),
  ignoreTruthBackground: z
    .boolean()
    .default(true)
    .describe('Leaves voxels out whose truth is 0; otherwise truth 0 counts as one segment.'),
  distinctPairs: z
    .boolean()
    .default(false)
    .describe(
      'Rand: a voxel makes no pair with itself (as in scikit-image). Nearly the same for all but small volumes.',
    ),
  worst: z.int().nonnegative().max(100_000).default(10).describe('Merges and splits that are told, at most.'),
});

type Options = z.infer<typeof options>;

/** Adds up the tables of all blocks and scores them; one block. */
export const evaluate = defineTask<Options>({
  type: 'evaluate',
  description: 'Scores a segmentation (VOI, adapted Rand error) and tells where it goes wrong.',
  options,

  plan(given, context) {
    const roi = context.fileRoi(given.tables);
    return {
      blocks: new BlockPlan({ totalWriteRoi: roi, blockShape: roi.shape, fit: 'shrink' }),
      reads: [{ kind: 'file', name: given.tables }],
      writes: [{ kind: 'file', name: given.output }],
      outputs: [],
    };
  },

  async processBlock(given, { writeRoi }, context) {
    const { signal } = context;
    const folder = context.filePath(given.tables);
    const { grid, blockShape, blocks } = await openTables(folder);
    if (!grid.roi.equals(writeRoi)) {
      const message = `${folder}: expected the tables of ${writeRoi}, found those of ${grid.roi}`;
      throw new BlockwrightError('ERR_METADATA', message, { path: folder });
    }
    // a block that `skip` left out has no table
    const all = grid.roi.shape.ceilDiv(blockShape).product();
    const sum = new TableSum(signal);
    for (const block of blocks) await sum.add(await readTable(folder, block));
    const table = await sum.total();
    const evaluation = await evaluateTable(table, grid, { ...given, signal });
    await putFile(context.filePath(given.output), Buffer.from(`${evaluationJson(evaluation)}\n`));
    const { voiSplit, voiMerge, adaptedRandError } = evaluation;
    context.log(
      `VOI ${voiSplit.toFixed(4)} split + ${voiMerge.toFixed(4)} merge, adapted Rand error ${adaptedRandError.toFixed(4)} ` +
        `(${table.a.length} pairs of ${blocks.length === all ? '' : `${blocks.length} of `}${all} blocks)`,
    );
  },
});
