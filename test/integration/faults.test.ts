import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFailures, readRunStatus } from '../../lib/coordinator/run-status.js';
import { pluginPath } from '../support/plugins.js';
import { processesOf, until } from '../support/processes.js';
import { PROGRAM, runProgram, startProgram } from '../support/program.js';
import { copyVolume, edit, makeVolume, outputHash } from '../support/small-volume.js';
import { filesBelow, temporaryFolder } from '../support/stores.js';

const place = temporaryFolder();
const root = realpathSync(place.path);
const original = join(root, 'original');
/** A finished run. */
const finished = join(root, 'finished');
let undisturbed = '';
beforeAll(async () => {
  await makeVolume(original);
  copyVolume(original, finished);
  expect(await run(finished)).toMatchObject({ status: 0 });
  undisturbed = outputHash(finished);
});
afterAll(place.remove);

let count = 0;
/** A folder of its own with the volume, or with a finished run. */
function fresh(from = original): string {
  const folder = join(root, `case-${count++}`);
  copyVolume(from, folder);
  return folder;
}

/** The command, with FOLDER for its folder in what it says. */
async function run(folder: string, ...args: string[]) {
  const { status, out, error } = await runProgram(folder, 'run', 'segment.yaml', ...args);
  return { status, out: out.replaceAll(folder, 'FOLDER'), error: error.replaceAll(folder, 'FOLDER') };
}

async function tell(folder: string, command: string): Promise<string> {
  return (await runProgram(folder, command, 'segment.yaml')).out.replaceAll(folder, 'FOLDER');
}

/** The cause is mended: the same command does the rest, and the result has the bytes of an undisturbed run. */
async function finishes(folder: string): Promise<void> {
  expect(await run(folder)).toMatchObject({ status: 0, out: expect.stringContaining('complete: every block is done') });
  expect(outputHash(folder)).toBe(undisturbed);
  expect(temporaries(folder)).toEqual([]);
}

const temporaries = (folder: string) =>
  [...filesBelow(folder).keys()].filter((path) => /\.tmp|partial|sqlite-(wal|shm|journal)/.test(path));

/** done, failed, orphaned of each task. */
function counts(folder: string, name = 'small'): Record<string, number[]> {
  const { tasks } = readRunStatus(join(folder, `${name}.run`))!;
  return Object.fromEntries(tasks.map((task) => [task.name, [task.done, task.failed, task.orphaned]]));
}

test('damaged chunks fail their blocks by name; the others go on; mended, the same command finishes', async () => {
  const folder = fresh();
  // Each of these is read by one block alone: the first four of eight, which are those with low z.
  const damage: [key: string, change: (bytes: Buffer) => Buffer, reason: RegExp][] = [
    ['0/0/0/0', (bytes) => bytes.subarray(0, bytes.length >> 1), /zstd: Src size is incorrect/],
    [
      '0/0/0/3',
      (bytes) => bytes.fill(bytes[bytes.length >> 1] ^ 0x10, bytes.length >> 1, (bytes.length >> 1) + 1),
      /zstd: /,
    ],
    ['0/0/3/0', () => Buffer.alloc(0), /zstd: no bytes/],
    ['0/0/3/3', (bytes) => Buffer.alloc(bytes.length, 7), /zstd: Unknown frame descriptor/],
  ];
  const path = (key: string) => join('data.zarr/affinities/c', key);
  for (const [key, change] of damage) {
    writeFileSync(join(folder, path(key)), change(readFileSync(join(original, path(key)))));
  }
  const { status, out, error } = await run(folder);
  expect(status).toBe(1);
  expect(counts(folder)).toEqual({
    fragments: [4, 4, 0],
    edges: [4, 0, 4],
    lut: [0, 0, 1],
    segments: [0, 0, 8],
  });
  const failures = await tell(folder, 'failures');
  for (const [block, [key, , reason]] of damage.entries()) {
    const cause = `ERR_CHUNK_CORRUPT: chunk c/${key} of FOLDER/data.zarr/affinities is damaged: `;
    const log = `FOLDER/small.run/tasks/fragments/logs/block-${block}.log`;
    const told = out.split('\n\n').find((paragraph) => paragraph.startsWith(`fragments: ${cause}`));
    expect(told).toMatch(reason);
    expect(told).toContain(`\n  block  ${block}  attempt 3  ${log}`);
    const group = failures.split('\n\n').find((paragraph) => paragraph.startsWith(`1 block of fragments: ${cause}`));
    expect(group).toMatch(
      /\n {2}block \d\n {2}block \d, attempt 3, worker 1\.\d on \S+:\n {4}BlockwrightError: .*\n {8}at /,
    );
    expect(group).toContain(`\n  ${log}`);
  }
  expect(out).toMatch(/\nincomplete after .*: 4 blocks failed, 13 orphaned \(they need one that failed\)\n$/);
  expect(error).toContain('What failed: blockwright failures segment.yaml\n');
  for (const [key] of damage) copyFileSync(join(original, path(key)), join(folder, path(key)));
  await finishes(folder);
  expect(await readFailures(join(folder, 'small.run'))).toEqual([]);
});

describe('a finished run', () => {
  test.each([
    ['out/small.zarr/fragments', '15:16: tasks.fragments.fragments: ', "the array 'fragments'", ['fragments']],
    ['out/small.zarr/segments', '39:15: tasks.segments.segments: ', "the array 'segments'", ['segments']],
    ['out/small.lut', '34:10: tasks.lut.lut: ', "the LUT 'out/small.lut'", ['lut']],
    ['out/small.sqlite', '16:12: tasks.fragments.graph: ', "the graph 'graph'", ['fragments', 'edges']],
  ])(
    'whose %s was removed is not called complete; what to do is said, and helps',
    async (output, where, what, tasks) => {
      const folder = fresh(finished);
      rmSync(join(folder, output), { recursive: true });
      const { status, error } = await run(folder);
      expect(status).toBe(2);
      expect(error).toContain(
        `segment.yaml:${where}blocks of the task are recorded as done, and ${what} that they wrote is not there (FOLDER/${output}). ` +
          `Put it back, or delete FOLDER/small.run/tasks/${tasks[0]}/done to do them again`,
      );
      for (const task of tasks) rmSync(join(folder, `small.run/tasks/${task}/done`), { recursive: true });
      await finishes(folder);
    },
  );

  test('whose done record was removed does the blocks again, to the same bytes', async () => {
    const folder = fresh(finished);
    rmSync(join(folder, 'small.run/tasks/fragments/done'), { recursive: true });
    await finishes(folder);
    expect(counts(folder)).toMatchObject({ fragments: [8, 0, 0], edges: [8, 0, 0] });
  });

  test('whose done record was damaged is refused; what to do is said, and helps', async () => {
    const folder = fresh(finished);
    writeFileSync(join(folder, 'small.run/tasks/edges/done/c/0/0/0'), 'cut');
    const { status, error } = await run(folder);
    expect(status).toBe(2);
    expect(error).toBe(
      "blockwright: ERR_CHUNK_CORRUPT: done record FOLDER/small.run/tasks/edges/done/c/0/0/0: expected 8 bytes, found 3. To do the task's blocks again, delete the folder of the record\n",
    );
    rmSync(join(folder, 'small.run/tasks/edges/done'), { recursive: true });
    await finishes(folder);
  });

  test.each([
    ['the bias', 'bias: -0.5', 'bias: -0.45', 'task.options.bias: was -0.5, is -0.45'],
    ['the seed of the noise', 'seed: 1', 'seed: 2', 'task.options.seed: was 1, is 2'],
    [
      'the blocks',
      '[24, 24, 24]\n    context',
      '[48, 24, 24]\n    context',
      'task.options.blockSize[0]: was 24, is 48',
    ],
  ])('with %s changed is refused, with the difference and what to do', async (_name, from, to, difference) => {
    const folder = fresh(finished);
    edit(folder, from, to);
    const before = filesBelow(join(folder, 'out'));
    const { status, error } = await run(folder);
    expect(status).toBe(2);
    expect(error).toContain(
      'tasks.fragments: task fragments: its blocks were begun with another plan. Undo the change, use another run directory and other stores, or remove FOLDER/small.run/tasks/fragments to run the task from its beginning:\n',
    );
    expect(error).toContain(`  ${difference}\n`);
    // Those after it are told too, and would go on refusing.
    for (const name of ['edges', 'lut', 'segments']) expect(error).toContain(`tasks.${name}: task ${name}: its blocks`);
    expect(await tell(folder, 'plan')).toContain(`  ${difference}\n`);
    expect(filesBelow(join(folder, 'out'))).toEqual(before);
    edit(folder, to, from);
    await finishes(folder);
  });

  test('takes another number of workers, of retries and other limits of time', async () => {
    const folder = fresh(finished);
    edit(folder, 'workers: 2', 'workers: 1');
    edit(folder, 'seed: 1', 'seed: 1\n    retries: 7\n    blockTimeout: 1000');
    await finishes(folder);
  });

  test('refuses what was made with another plan before it, also when only that was done again', async () => {
    const folder = fresh(finished);
    edit(folder, 'bias: -0.5', 'bias: -0.45');
    rmSync(join(folder, 'small.run/tasks/fragments/done'), { recursive: true });
    const { status, error } = await run(folder);
    expect(status).toBe(2);
    expect(error).toContain('task edges: its blocks were begun with another plan.');
    expect(error).toContain('task.upstream.fragments: has another plan');
  });
});

describe('a block that is bad', () => {
  /** Copies the segments of the finished run with the plugin of faults: in block 3 always, in block 5 once. */
  function faulty(fault: string, more: string): string {
    const folder = join(root, `case-${count++}`);
    mkdirSync(folder);
    cpSync(join(finished, 'out/small.zarr/segments'), join(folder, 'in.zarr'), { recursive: true });
    writeFileSync(
      join(folder, 'segment.yaml'),
      `name: copy
plugins: ['${pluginPath('toy-fault')}']
arrays: {in: {store: in.zarr}, out: {store: out.zarr}}
executor: {type: local, workers: 2}
tasks:
  copy: {type: toy-fault, input: in, output: out, blockSize: [24, 24, 24], fault: ${fault}, always: [3], once: [5], retries: 1${more}}
`,
    );
    return folder;
  }

  const copied = (folder: string) => {
    const chunks = filesBelow(join(folder, 'out.zarr/c'));
    return [...filesBelow(join(folder, 'in.zarr/c'))].filter(([path, bytes]) => chunks.get(path)?.equals(bytes)).length;
  };

  /** What is told, and what `failures` has of the cause. */
  const FAULTS: [fault: string, more: string, told: string, stack: string][] = [
    ['throws', '', 'the sky fell', 'Error: the sky fell\n        at '],
    ['throws text', '', 'only a text', 'only a text'],
    ['rejects late', '', 'exit status 1', 'Error: nobody waited for me'],
    ['throws late', '', 'exit status 1', 'Error: thrown by a timer'],
    ['prints and exits', '', 'exit status 7', 'these are my last words'],
    ['exits in peace', '', 'exit status 0', 'exit status 0'],
    ['aborts', '', 'ended by SIGABRT', 'ended by SIGABRT'],
    ['is shot', '', 'ended by SIGSEGV', 'ended by SIGSEGV'],
    [
      'never returns',
      ', blockTimeout: 0.7',
      'longer than its blockTimeout of 0.7 s',
      'longer than its blockTimeout of 0.7 s',
    ],
    ['loops', ', blockTimeout: 0.7', 'longer than its blockTimeout of 0.7 s', 'longer than its blockTimeout of 0.7 s'],
  ];

  test.each(FAULTS)(
    '(it %s) once is run again, always is given up by name; the others are done',
    async (fault, more, told, stack) => {
      const folder = faulty(fault, more);
      const { status, out } = await run(folder);
      expect(status).toBe(1);
      expect(counts(folder, 'copy')).toEqual({ copy: [7, 1, 0] });
      expect(copied(folder)).toBe(7);
      expect(existsSync(join(folder, 'tried-5'))).toBe(true);
      const log = 'FOLDER/copy.run/tasks/copy/logs/block-3.log';
      expect(out).toMatch(new RegExp(`\\ncopy: .*${told}\n  block  3  attempt \\d  ${log}\n`));
      expect(out).toMatch(/\nincomplete after .*: 1 block failed, 0 orphaned/);
      const failures = await tell(folder, 'failures');
      expect(failures).toContain('1 block of copy: ');
      expect(failures).toContain(stack);
      expect(failures).toContain(`\n  ${log}\n    block 3 will not end well\n`);
      expect(processesOf(join(folder, 'copy.run'))).toEqual([]);
    },
  );
});

test('a LUT where something else stands is refused before any block, and nothing of it is lost', async () => {
  const folder = fresh();
  mkdirSync(join(folder, 'out/small.lut'), { recursive: true });
  writeFileSync(join(folder, 'out/small.lut/precious'), 'work of years');
  const { status, error } = await run(folder);
  expect(status).toBe(2);
  expect(error).toContain(
    'blockwright: ERR_ARRAY_EXISTS: FOLDER/out/small.lut: expected a LUT or nothing, found something else',
  );
  expect(counts(folder)).toEqual({ fragments: [0, 0, 0], edges: [0, 0, 0], lut: [0, 0, 0], segments: [0, 0, 0] });
  expect(readFileSync(join(folder, 'out/small.lut/precious'), 'utf8')).toBe('work of years');
  rmSync(join(folder, 'out/small.lut'), { recursive: true });
  await finishes(folder);
});

test('SIGTERM stops in order: blocks that run end, and the same command goes on', async () => {
  const folder = fresh();
  const program = startProgram(folder, 'run', 'segment.yaml');
  await program.says('fragments: begins');
  program.process.kill('SIGTERM');
  const { status, out, error } = await program.ended;
  expect(status).toBe(3);
  expect(error).toContain('Stopping: blocks that run may end, no others begin. Ctrl-C again stops at once.\n');
  expect(error).not.toMatch(/lost its worker|failed|ended:/);
  expect(out).toMatch(/\ninterrupted after .*; the same command goes on from here\n$/);
  expect(processesOf(join(folder, 'small.run'))).toEqual([]);
  await finishes(folder);
});

test('a second run of the folder is refused while the first is at work, which it does not disturb', async () => {
  const folder = fresh();
  const first = startProgram(folder, 'run', 'segment.yaml');
  await first.says('fragments: begins');
  first.process.kill('SIGSTOP');
  const second = await run(folder);
  first.process.kill('SIGCONT');
  expect(second.status).toBe(2);
  expect(second.error).toMatch(
    new RegExp(
      `^blockwright: ERR_RUN_LOCKED: run folder FOLDER/small.run: in use by process ${first.process.pid} on host `,
    ),
  );
  expect((await first.ended).status).toBe(0);
  expect(outputHash(folder)).toBe(undisturbed);
});

describe('in a terminal', () => {
  /** The command under a pseudo terminal of 80 columns, as `script` makes one. */
  function inTerminal(folder: string) {
    const command = `stty cols 80 rows 24; exec '${process.execPath}' '${PROGRAM}' run '${folder}/segment.yaml'`;
    const terminal = spawn('script', ['--quiet', '--flush', '--return', '--command', command, '/dev/null'], {
      cwd: folder,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, TERM: 'xterm' },
    });
    let shown = '';
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
    });
    return {
      terminal,
      shows: (text: string) => until(`the terminal shows ${text}`, () => shown.includes(text)),
      shown: () => shown,
    };
  }

  test('bars are drawn; Ctrl-C stops in order and says so above them; the cursor comes back', async () => {
    const folder = fresh();
    const { terminal, shows, shown } = inTerminal(folder);
    await shows('fragments \u2591');
    await until('a block is at work', () => existsSync(join(folder, 'small.run/tasks/fragments/logs')));
    terminal.stdin.write('\u0003');
    const [status] = (await once(terminal, 'close')) as [number];
    expect(status).toBe(3);
    expect(shown()).toContain('Stopping: blocks that run may end, no others begin. Ctrl-C again stops at once.');
    expect(shown()).toContain('; the same command goes on from here');
    expect(shown().lastIndexOf('\u001b[?25h')).toBeGreaterThan(shown().lastIndexOf('\u001b[?25l'));
    await finishes(folder);
  });

  test('that is closed: the run stops in order, and the same command goes on', async () => {
    const folder = fresh();
    const { terminal, shows } = inTerminal(folder);
    await shows('fragments \u2591');
    terminal.kill('SIGKILL');
    await once(terminal, 'close');
    await until('the run is over', () => processesOf(join(folder, 'segment.yaml')).length === 0);
    expect(await tell(folder, 'status')).toContain('FOLDER/small.run: interrupted, resumable\n');
    await finishes(folder);
  });
});

describe('a disk', () => {
  /**
   * Runs a script in which `mount` works and is seen by nobody else: as root, or as root of a namespace of one's own. $1 is the
   * program's interpreter, $2 the program. Undefined where the system allows neither.
   */
  function mounting(folder: string, script: string) {
    for (const list of [['--mount'], ['--mount', '--map-root-user']]) {
      const options = [...list, 'sh', '-c', `mount -t tmpfs none . || exit 99`];
      if (spawnSync('unshare', options, { cwd: folder }).status !== 0) continue;
      const found = spawnSync('unshare', [...list, 'sh', '-c', script, 'sh', process.execPath, PROGRAM], {
        cwd: folder,
        encoding: 'utf8',
      });
      return {
        ...found,
        stdout: found.stdout.replaceAll(folder, 'FOLDER'),
        stderr: found.stderr.replaceAll(folder, 'FOLDER'),
      };
    }
    console.warn('not tried: this system lets nobody mount a file system');
    return undefined;
  }

  test('that cannot be written is named before anything begins', () => {
    const folder = fresh();
    mkdirSync(join(folder, 'out'));
    const found = mounting(
      folder,
      'mount --bind out out && mount -o remount,bind,ro out && "$1" "$2" run segment.yaml; status=$?; ls; exit $status',
    );
    if (found === undefined) return;
    expect(found.stderr).toBe(`blockwright: ERR_PLAN: 5 reasons not to run
  segment.yaml:15:16: tasks.fragments.fragments: the array 'fragments' cannot be written to FOLDER/out/small.zarr/fragments: FOLDER/out: read-only file system (EROFS)
  segment.yaml:16:12: tasks.fragments.graph: the graph 'graph' cannot be written to FOLDER/out/small.sqlite: FOLDER/out: read-only file system (EROFS)
  segment.yaml:26:12: tasks.edges.graph: the graph 'graph' cannot be written to FOLDER/out/small.sqlite: FOLDER/out: read-only file system (EROFS)
  segment.yaml:34:10: tasks.lut.lut: the LUT 'out/small.lut' cannot be written to FOLDER/out/small.lut: FOLDER/out: read-only file system (EROFS)
  segment.yaml:39:15: tasks.segments.segments: the array 'segments' cannot be written to FOLDER/out/small.zarr/segments: FOLDER/out: read-only file system (EROFS)
`);
    expect(found).toMatchObject({ status: 2, stdout: 'data.zarr\nout\nsegment.yaml\n' });
  });

  /** With little space, then with enough; what is written is copied to where it can be seen. */
  const twice = (place: string, kilobytes: number) => `
    mount -t tmpfs -o size=${kilobytes}k none ${place} || exit 99
    printf 'limits: {minimumFreeSpace: 0}\n' >> segment.yaml
    "$1" "$2" run segment.yaml; echo "first $?"
    mount -o remount,size=64m ${place} && "$1" "$2" run segment.yaml --quiet; echo "second $?"
    cp -r ${place} kept && umount ${place} && rmdir ${place} && mv kept ${place}`;

  test.each([40, 250])(
    'for outputs that is full (%d KiB): ENOSPC is named, and with space again the run finishes',
    (kilobytes) => {
      const folder = fresh();
      mkdirSync(join(folder, 'out'));
      const found = mounting(folder, twice('out', kilobytes));
      if (found === undefined) return;
      expect(`${found.stdout}${found.stderr}`).toMatch(/ERR_IO: .*FOLDER\/out\/small\..*ENOSPC/);
      expect(found.stdout).toMatch(/^first [14]$/m);
      expect(found.stdout).toMatch(/^second 0$/m);
      expect(outputHash(folder)).toBe(undisturbed);
      expect(temporaries(folder)).toEqual([]);
    },
  );

  test('with little space makes the run wait; with more of it, it goes on by itself', () => {
    const folder = fresh();
    mkdirSync(join(folder, 'out'));
    const found = mounting(
      folder,
      `mount -t tmpfs -o size=20m none out || exit 99
      printf 'limits: {minimumFreeSpace: 30000000}\\n' >> segment.yaml
      "$1" "$2" run segment.yaml > told 2>&1 & run=$!
      for i in $(seq 1200); do grep -q paused told && break; sleep 0.1; done
      mount -o remount,size=64m out; wait $run; echo "status $?"; cat told
      cp -r out kept && umount out && rmdir out && mv kept out`,
    );
    if (found === undefined) return;
    expect(found.stdout).toMatch(/^status 0$/m);
    expect(found.stdout).toMatch(/paused, no blocks are begun: too little disk space: \d+\.\d MiB free at FOLDER\/out/);
    expect(found.stdout).toContain('going on: there is disk space again');
    expect(outputHash(folder)).toBe(undisturbed);
  });

  test.each([8, 60])(
    'for the run folder that is full (%d KiB): it is named with ENOSPC, and with space again the run finishes',
    (kilobytes) => {
      const folder = fresh();
      mkdirSync(join(folder, 'small.run'));
      const found = mounting(folder, twice('small.run', kilobytes));
      if (found === undefined) return;
      expect(found.stderr).toContain(
        'blockwright: ERR_IO: run folder FOLDER/small.run: ENOSPC: no space left on device, write\n',
      );
      expect(found.stderr).not.toMatch(/lost its worker|the run is over/);
      expect(found.stdout).toMatch(/^first 4$/m);
      expect(found.stdout).toMatch(/^second 0$/m);
      expect(outputHash(folder)).toBe(undisturbed);
    },
  );
});
