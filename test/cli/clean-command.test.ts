import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { RunLock } from '../../lib/coordinator/run-lock.js';
import { fillTask, ToyPipeline } from '../support/toy-pipeline.js';

let toy: ToyPipeline;
beforeEach(() => {
  toy = new ToyPipeline();
});
afterEach(() => toy.remove());

const path = (name: string) => join(toy.folder, name);
/** Every file below the folder. */
const everything = () => (readdirSync(toy.folder, { recursive: true }) as string[]).sort();

describe('clean', () => {
  test('says what it would remove, and with --yes removes that and nothing else', async () => {
    toy.write(fillTask());
    expect((await toy.run('run', 'p.yaml')).status).toBe(0);
    writeFileSync(path('toy.run/notes.txt'), 'mine');
    writeFileSync(path('mine'), 'mine');
    symlinkSync(path('mine'), path('toy.run/tasks/link'));
    const before = everything();
    const told = await toy.inProcess('clean', 'FOLDER/p.yaml');
    expect([told.status, told.out]).toEqual([
      0,
      'FOLDER/toy.run (complete): would be removed: journal.jsonl, lock.1, logs, run.json, statistics.json, tasks\n' +
        'left, as no run made it: notes.txt\n' +
        'Nothing was removed. To remove it, with --yes: then a run begins with nothing done.\n',
    ]);
    expect(everything()).toEqual(before);
    expect((await toy.inProcess('clean', 'FOLDER/toy.run', '--yes')).status).toBe(0);
    expect(everything()).toEqual(before.filter((name) => !name.startsWith('toy.run/') || name === 'toy.run/notes.txt'));
    expect((await toy.inProcess('clean', 'FOLDER/p.yaml', '--yes')).error).toContain('found no records of a run in');
    rmSync(path('toy.run/notes.txt'));
    expect((await toy.run('run', 'p.yaml')).status).toBe(0);
    expect((await toy.inProcess('clean', 'FOLDER/p.yaml', '--yes')).status).toBe(0);
    expect(existsSync(path('toy.run'))).toBe(false);
    expect(existsSync(path('d.zarr/a/zarr.json'))).toBe(true);
  });

  test('refuses foreign folders, links, and runs at work; nothing is removed then', async () => {
    toy.write(fillTask());
    expect((await toy.run('run', 'p.yaml')).status).toBe(0);
    mkdirSync(path('foreign/tasks'), { recursive: true });
    mkdirSync(path('foreign/logs'));
    writeFileSync(path('foreign/run.json'), '{"name": "mine"}');
    writeFileSync(path('foreign/journal.jsonl'), 'Dear diary');
    mkdirSync(path('empty'));
    symlinkSync(path('toy.run'), path('link.run'));
    const refused = async (folder: string, text: string, code = 2) => {
      const before = everything();
      const { status, error } = await toy.inProcess('clean', `FOLDER/${folder}`, '--yes');
      expect([status, error]).toEqual([code, expect.stringContaining(text)]);
      expect(everything()).toEqual(before);
    };
    await refused('foreign', 'ERR_METADATA');
    await refused('empty', 'found no records of a run in FOLDER/empty');
    await refused('link.run', 'found a link at FOLDER/link.run');
    await refused('d.zarr', 'found no records of a run in FOLDER/d.zarr');
    // a folder of records that leads elsewhere
    renameSync(path('toy.run/tasks'), path('elsewhere'));
    symlinkSync(path('elsewhere'), path('toy.run/tasks'));
    await refused('toy.run', 'found a link at FOLDER/toy.run/tasks');
    rmSync(path('toy.run/tasks'));
    renameSync(path('elsewhere'), path('toy.run/tasks'));
    // its next run would end its jobs
    const summary = readFileSync(path('toy.run/run.json'), 'utf8');
    writeFileSync(path('toy.run/run.json'), summary.replace('"complete"', '"running"'));
    writeFileSync(path('toy.run/jobs-slurm.jsonl'), '');
    await refused('toy.run', 'found one that was killed, of which jobs may be left');
    writeFileSync(path('toy.run/run.json'), summary);
    const lock = RunLock.acquire(path('toy.run'));
    await refused('toy.run', 'expected a run that is not at work');
    lock.release();
    expect((await toy.inProcess('clean', 'FOLDER/toy.run', '--yes')).status).toBe(0);
  });
});
