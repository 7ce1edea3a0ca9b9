// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${...} is the syntax under test
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { messageOf } from '../../lib/errors.js';
import { loadPipeline } from '../../lib/pipeline/file.js';
import { type Pipeline, pipeline } from '../../lib/pipeline/pipeline.js';
import type { Problem } from '../../lib/pipeline/problem.js';
import { pluginPath } from '../support/plugins.js';

const folder = mkdtempSync(join(tmpdir(), 'blockwright-file-'));
afterAll(() => rmSync(folder, { recursive: true }));
const toy = pluginPath('toy-options');
let count = 0;

async function load(text: string, environment: NodeJS.ProcessEnv = {}): Promise<Pipeline> {
  const file = join(folder, `case${count++}.yaml`);
  writeFileSync(file, text);
  return loadPipeline(file, { definitions: [], environment });
}

/** The lines of the message, without the folder; '' when there was no error. */
async function refused(text: string, environment?: NodeJS.ProcessEnv): Promise<string[]> {
  try {
    await load(text, environment);
  } catch (error) {
    expect((error as { code: string }).code).toBe('ERR_CONFIG');
    return messageOf(error)
      .replaceAll(new RegExp(`${folder}/case\\d+\\.yaml:?`, 'g'), '')
      .replaceAll(toy, 'TOY')
      .split('\n')
      .map((line) => line.trim());
  }
  return [];
}

const head = `name: test
plugins: ['${toy}']
arrays:
  raw: {store: data.zarr/raw}
graphs:
  edges: {type: sqlite, path: edges.sqlite}
tasks:
`;

describe('a good file', () => {
  test('is resolved: paths relative to the file, defaults, options without common keys', async () => {
    const made = await load(
      `${head}  first: {type: toy-options, input: raw, blockSize: [8, 8], retries: 5, blockTimeout: 1.5, lut: x.lut}
  second:
    type: toy-options
    input: raw
    others: [raw, raw]
    graph: edges
    blockSize: [4]
    after: [first]
`,
    );
    expect(made.folder).toBe(folder);
    expect(made.runDirectory).toBe(join(folder, 'test.run'));
    expect(made.arrays.get('raw')).toEqual({
      name: 'raw',
      store: join(folder, 'data.zarr/raw'),
      storeAsGiven: 'data.zarr/raw',
      source: { store: join(folder, 'data.zarr/raw') },
    });
    expect(made.graphs.get('edges')?.path).toBe(join(folder, 'edges.sqlite'));
    expect(made.executor).toEqual({ type: 'local' });
    expect(
      made.tasks.map(({ name, retries, after, blockTimeoutSeconds }) => [name, retries, after, blockTimeoutSeconds]),
    ).toEqual([
      ['first', 5, [], 1.5],
      ['second', 2, ['first'], undefined],
    ]);
    expect(made.tasks[0].options).toEqual({ input: 'raw', blockSize: [8, 8], lut: 'x.lut', fit: 'shrink' });
    expect(made.tasks[0].input).toEqual({ input: 'raw', blockSize: [8, 8], lut: 'x.lut' });
  });

  test('may be JSON, with tabs', async () => {
    const text = JSON.stringify(
      {
        name: 'j',
        plugins: [toy],
        arrays: { a: { store: 'a' } },
        tasks: { t: { type: 'toy-options', input: 'a', blockSize: [1] } },
      },
      null,
      '\t',
    );
    expect((await load(text)).tasks[0].options).toEqual({ input: 'a', blockSize: [1], fit: 'shrink' });
  });

  test('may share parts with anchors', async () => {
    const made = await load(`${head}  one: {type: toy-options, input: raw, blockSize: &size [8, 9]}
  two: {type: toy-options, input: raw, blockSize: *size}
`);
    expect(made.tasks[1].options.blockSize).toEqual([8, 9]);
  });

  test('the same in code gives the same pipeline', async () => {
    const made = await pipeline(
      {
        name: 'c',
        plugins: [toy],
        arrays: { a: { store: 'x/a' } },
        tasks: { t: { type: 'toy-options', input: 'a', blockSize: [1] } },
      },
      { definitions: [], folder },
    );
    expect(made.arrays.get('a')?.store).toBe(join(folder, 'x/a'));
    expect(made.tasks[0].definition.type).toBe('toy-options');
  });
});

describe('environment variables', () => {
  const task = '  t: {type: toy-options, input: raw, blockSize: [8]}\n';
  test('are replaced in values, also inside a text; unquoted numbers stay numbers', async () => {
    const text = `${head}${task}runDirectory: \${SCRATCH}/\${USER_NAME}.run\nexecutor: {type: local, workers: 1}\n`;
    const made = await load(text.replace('workers: 1', 'workers: 1}\nresources:\n  gpu: ${GPUS}\n#{'), {
      SCRATCH: '/scratch',
      USER_NAME: 'me',
      GPUS: '2',
    });
    expect(made.runDirectory).toBe('/scratch/me.run');
    expect(made.resources).toEqual({ gpu: 2 });
  });
  test('keep their form in quotes and after $$', async () => {
    const made = await load(`${head}${task}runDirectory: "\${A}-$\${B}"\n`, { A: '7' });
    expect(made.runDirectory).toBe(join(folder, '7-${B}'));
  });
  test('that are not set are named, all of them', async () => {
    expect(await refused(`${head}${task}runDirectory: \${NOPE}/\${NADA}\n`)).toEqual([
      '2 problems',
      '9:15: the environment variable NOPE is not set',
      '9:15: the environment variable NADA is not set',
    ]);
  });
  test('with a name that is none are refused', async () => {
    expect(await refused(`${head}${task}runDirectory: "\${a-b}/\${open"\n`)).toEqual([
      '2 problems',
      "9:15: expected ${NAME} with the name of an environment variable, found '${a-b}'",
      "9:15: expected ${NAME} with the name of an environment variable, found '${open'",
    ]);
  });
  test('without quotes inside braces get a hint', async () => {
    const lines = await refused('name: x\narrays:\n  a: {store: ${DATA}/a}\n');
    expect(lines[0]).toBe(
      '3:15: expected valid YAML: Unexpected flow-map-start at node end (quote a text with ${...} inside [] or {})',
    );
  });
});

describe('a bad file', () => {
  const cases: readonly (readonly [what: string, text: string, lines: readonly string[]])[] = [
    ['nothing in it', '', ['expected a mapping, found nothing']],
    ['a list', '- a\n', ['1:1: expected a mapping, found a list of 1']],
    [
      'YAML syntax',
      'name: x\ntasks: [1, 2\nother: 3\n',
      ['3:1: expected valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]'],
    ],
    [
      'an alias without anchor',
      `${head}  t: {type: toy-options, input: raw, blockSize: *size}\n`,
      ['expected valid YAML: Unresolved alias (the anchor must be set before the alias): size'],
    ],
    [
      'keys given twice',
      `${head}  t: {type: toy-options, input: raw, blockSize: [8], input: raw}\nname: again\n`,
      [
        '2 problems',
        '8:54: expected each key once in a mapping, found input again',
        '9:1: expected each key once in a mapping, found name again',
      ],
    ],
    [
      'missing keys',
      'arrays: {a: {}}\n',
      [
        '3 problems',
        '1:1: name: is missing; expected text',
        '1:1: tasks: is missing; expected a mapping',
        '1:13: arrays.a: needs either `store` or `stack`',
      ],
    ],
    ['no tasks', 'name: x\ntasks: {}\n', ['2:8: tasks: expected at least one task, found a mapping']],
    [
      'unknown keys, with what was meant',
      `${head}  t: {type: toy-options, input: raw, blocksize: [8], blockSize: [8], colour: red}\nexecuter: {}\n`,
      [
        '3 problems',
        "8:38: tasks.t.blocksize: unknown key (did you mean 'blockSize'?)",
        '8:70: tasks.t.colour: unknown key; expected input, others, graph, lut, blockSize, fit, threshold, mode, scores, low, high, type, after, retries, blockTimeout, executor, skip or resources',
        "9:1: executer: unknown key (did you mean 'executor'?)",
      ],
    ],
    [
      'wrong types and values',
      `${head}  t:
    type: toy-options
    input: 7
    blockSize: [8, 2.5, -1, x]
    fit: shrnk
    threshold: 1.5
    scores: {affinity: [1, 0, 0]}
    retries: -1
`,
      [
        '10 problems',
        '10:12: tasks.t.input: expected text, found 7',
        '11:20: tasks.t.blockSize[1]: expected a whole number, found 2.5',
        '11:25: tasks.t.blockSize[2]: expected a number of more than 0, found -1',
        "11:29: tasks.t.blockSize[3]: expected a number, found 'x'",
        "12:10: tasks.t.fit: expected 'valid', 'overhang' or 'shrink', found 'shrnk' (did you mean 'shrink'?)",
        '13:16: tasks.t.threshold: expected a number of at most 1, found 1.5',
        '14:25: tasks.t.scores.affinity[0]: expected a list, found 1',
        '14:28: tasks.t.scores.affinity[1]: expected a list, found 0',
        '14:31: tasks.t.scores.affinity[2]: expected a list, found 0',
        '15:14: tasks.t.retries: expected a number of at least 0, found -1',
      ],
    ],
    [
      'a list of the wrong length',
      `${head}  t: {type: toy-options, input: raw, blockSize: []}\n`,
      ['8:49: tasks.t.blockSize: expected a list of at least 1, found an empty list'],
    ],
    [
      'a branch of a choice',
      `${head}  a: {type: toy-options, input: raw, blockSize: [8], mode: {sigma: [1], ordr: 2}}
  b: {type: toy-options, input: raw, blockSize: [8], mode: fast}
  c: {type: toy-options, input: raw, blockSize: [8], mode: {sigma: [a]}}
`,
      [
        '3 problems',
        "8:73: tasks.a.mode.ordr: unknown key (did you mean 'order'?)",
        "9:60: tasks.b.mode: expected a number or a mapping, found 'fast'",
        "10:69: tasks.c.mode.sigma[0]: expected a number, found 'a'",
      ],
    ],
    [
      'a rule between options',
      `${head}  t: {type: toy-options, input: raw, blockSize: [8], low: 3, high: 2}\n`,
      ['8:59: tasks.t.low: expected low below high, found 3'],
    ],
    [
      'an unknown task type',
      `${head}  t: {type: toy-option, input: raw}\n  u: {input: raw}\n`,
      [
        '2 problems',
        "8:13: tasks.t.type: expected 'toy-options', found 'toy-option' (did you mean 'toy-options'?)",
        "9:3: tasks.u.type: is missing; expected 'toy-options'",
      ],
    ],
    [
      'names that are not there',
      `${head}  t: {type: toy-options, input: raww, others: [raw, labels], graph: raw, blockSize: [8], after: [u]}\n`,
      [
        '4 problems',
        "8:33: tasks.t.input: expected one of the file's arrays ('raw'), found 'raww' (did you mean 'raw'?)",
        "8:53: tasks.t.others[1]: expected one of the file's arrays ('raw'), found 'labels'",
        "8:69: tasks.t.graph: expected one of the file's graphs ('edges'), found 'raw'",
        "8:98: tasks.t.after[0]: expected one of the file's tasks ('t'), found 'u'",
      ],
    ],
    [
      'executors that are not there',
      `${head}  t: {type: toy-options, input: raw, blockSize: [8], executor: gpus}\nexecutors: {gpu: {type: local}}\n`,
      ["8:64: tasks.t.executor: expected one of the file's executors ('gpu'), found 'gpus' (did you mean 'gpu'?)"],
    ],
    [
      'tasks that wait for each other',
      `${head}  a: {type: toy-options, input: raw, blockSize: [8], after: [c]}
  b: {type: toy-options, input: raw, blockSize: [8], after: [a]}
  c: {type: toy-options, input: raw, blockSize: [8], after: [b]}
`,
      ['8:61: tasks.a.after: the tasks wait for each other: a after c after b after a'],
    ],
    [
      'a task after itself',
      `${head}  a: {type: toy-options, input: raw, blockSize: [8], after: [a]}\n`,
      ["8:61: tasks.a.after: the task 'a' cannot come after itself"],
    ],
    [
      'names that are no folder names',
      "name: ../up\ntasks: {'a/b': {type: x}}\n",
      [
        '2 problems',
        "1:7: name: expected a name of letters, digits, _, - and . that begins with a letter, found '../up'",
        "2:9: tasks.a/b: expected a name of letters, digits, _, - and . that begins with a letter, found 'a/b'",
      ],
    ],
    [
      'another executor',
      `${head}  t: {type: toy-options, input: raw, blockSize: [8]}\nexecutor: {type: slrum}\n`,
      ["9:18: executor.type: expected 'local', 'slurm' or 'lsf', found 'slrum' (did you mean 'slurm'?)"],
    ],
  ];
  test.each(cases)('%s', async (_what, text, lines) => {
    expect(await refused(text)).toEqual(lines);
  });

  test('in code: the same problems without places', async () => {
    await expect(
      pipeline(
        { name: 'c', plugins: [toy], tasks: { t: { type: 'toy-options', input: 'a', blockSize: [0] } } },
        { definitions: [], folder },
      ),
    ).rejects.toMatchObject({
      code: 'ERR_CONFIG',
      message: [
        '2 problems',
        '  tasks.t.blockSize[0]: expected a number of more than 0, found 0',
        "  tasks.t.input: expected one of the file's arrays (there are none), found 'a'",
      ].join('\n'),
    });
  });

  test('problems are data too', async () => {
    const error = await load(`${head}  t: {type: toy-options, input: raw, blockSize: 8}\n`).then(
      () => undefined,
      (thrown: { details: { problems: Problem[] } }) => thrown,
    );
    expect(error?.details.problems).toEqual([
      {
        file: expect.stringMatching(/case\d+\.yaml$/),
        line: 8,
        column: 49,
        key: 'tasks.t.blockSize',
        expected: 'a list',
        found: '8',
        text: 'expected a list, found 8',
      },
    ]);
  });

  test('a file that is not there', async () => {
    await expect(loadPipeline(join(folder, 'none.yaml'), { definitions: [] })).rejects.toMatchObject({
      code: 'ERR_CONFIG',
      message: `cannot read the pipeline file ${join(folder, 'none.yaml')}: there is no such file`,
    });
  });
});

describe('plugins', () => {
  const use = (path: string) => refused(`name: x\nplugins:\n  - '${path}'\ntasks: {t: {type: from-plugin, x: 1}}\n`);
  test.each([
    ['no-definition', "the plugin PLUGIN: expected a task definition as the module's default export, found none"],
    ['throws-on-load', 'cannot load the plugin PLUGIN: no licence for this plugin'],
    ['reserved-key', "the plugin PLUGIN: every task has the key 'retries' already; give the option another name"],
  ])('%s', async (name, text) => {
    const path = pluginPath(name);
    expect((await use(path)).map((line) => line.replaceAll(path, 'PLUGIN'))).toEqual([`3:5: plugins[0]: ${text}`]);
  });
  test('that are not there', async () => {
    const lines = await use('./missing.js');
    expect(lines[0]).toContain(`3:5: plugins[0]: cannot load the plugin ${join(folder, 'missing.js')}: `);
    expect(lines).toHaveLength(1);
  });
  test('that define a type twice', async () => {
    expect(
      await refused(
        `name: x\nplugins: ['${toy}', '${toy}']\narrays: {a: {store: a}}\ntasks: {t: {type: toy-options, input: a, blockSize: [1]}}\n`,
      ),
    ).toEqual([`2:${15 + toy.length}: plugins[1]: the plugin TOY: there is already a task type 'toy-options'`]);
  });
});
