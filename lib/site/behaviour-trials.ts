import { link, mkdir, open, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { codeOf } from '../errors.js';
import { mapFile } from '../native/map-file.js';
import { exchangeWithProcess } from './exchange.js';
import { doubtful, type Finding, good, wrong } from './finding.js';

/** Something that runs need of a file system. */
export interface Trial {
  readonly what: string;
  /** Why, and what to do where it fails. */
  readonly need: string;
  /** Throws when it does not work. `folder` is the trial's to write in; names are the trial's own. */
  run(folder: string, what: string): Promise<Finding>;
}

const OTHER_FOLDER = 'Keep run folders and arrays on another file system';

/** Each writes files of other names, so that one that fails does not disturb the others. */
export const TRIALS: readonly Trial[] = [
  {
    what: 'rename over a file',
    need: `${OTHER_FOLDER}: chunks are replaced by renaming`,
    run: async (folder, what) => {
      const [old, other] = [join(folder, 'rename-old'), join(folder, 'rename-new')];
      await writeFile(old, 'old');
      await writeFile(other, 'new');
      const reader = await open(old);
      try {
        await rename(other, old);
        expect('the new content', await readFile(old, 'utf8'), 'new');
        expect('the old content for who has it open', await reader.readFile('utf8'), 'old');
      } finally {
        await reader.close();
      }
      return good(what, 'replaces it whole; who has the old one open reads on');
    },
  },
  {
    what: 'sync of a file',
    need: `${OTHER_FOLDER}: a block is done only when its data is on the disk`,
    run: async (folder, what) => {
      const times: number[] = [];
      for (let i = 0; i < 9; i++) {
        const file = await open(join(folder, `sync-${i}`), 'wx');
        try {
          await file.writeFile(Buffer.alloc(4096, i));
          const begin = performance.now();
          await file.sync();
          times.push(performance.now() - begin);
        } finally {
          await file.close();
        }
      }
      const median = times.toSorted((a, b) => a - b)[4];
      const found = `works, ${median.toFixed(median < 10 ? 1 : 0)} ms for 4 KiB`;
      if (median < 100) return good(what, found);
      return doubtful(what, found, 'Slow for many small files: take larger shards (shard = block)');
    },
  },
  {
    what: 'sync of a folder',
    need: `${OTHER_FOLDER}: renames must be on the disk before a block is done`,
    run: async (folder, what) => {
      const handle = await open(folder);
      try {
        await handle.sync();
        return good(what, 'works');
      } catch (error) {
        if (codeOf(error) !== 'EINVAL' && codeOf(error) !== 'ENOTSUP') throw error;
        const advice = 'A power failure of the server may lose the newest blocks; runs go on without it';
        return doubtful(what, `cannot be asked for (${codeOf(error)})`, advice);
      } finally {
        await handle.close();
      }
    },
  },
  {
    what: 'exclusive creation',
    need: `${OTHER_FOLDER}: two processes would write one temporary file`,
    run: async (folder, what) => {
      const path = join(folder, 'exclusive');
      await writeFile(path, '', { flag: 'wx' });
      expect('a refusal of the second', await refusal(writeFile(path, '', { flag: 'wx' })), 'EEXIST');
      return good(what, 'the second is refused');
    },
  },
  {
    what: 'hard link',
    need: `${OTHER_FOLDER}, at least run folders: their lock is a hard link`,
    run: async (folder, what) => {
      const [file, name] = [join(folder, 'link-file'), join(folder, 'link')];
      await writeFile(file, 'lock');
      await link(file, name);
      expect('a refusal of the second', await refusal(link(file, name)), 'EEXIST');
      expect('two names of one file', (await stat(file)).nlink, 2);
      return good(what, 'works, and never replaces: what the lock of a run needs');
    },
  },
  {
    what: 'Unix socket',
    need: `${OTHER_FOLDER}, at least run folders: workers connect by a socket there`,
    run: async (folder, what) => {
      // where the way to it is too long for the system, a run takes a folder below the system's temporary one
      const path = join(folder, 's');
      if (Buffer.byteLength(path) > 103)
        return good(what, 'the path is too long: a run makes it in the temporary folder');
      await new Promise<void>((resolve, reject) => {
        const server = createServer();
        server.once('error', reject);
        server.listen(path, () => server.close(() => resolve()));
      });
      return good(what, 'can be made');
    },
  },
  {
    what: 'permissions',
    need: `${OTHER_FOLDER}, at least run folders`,
    run: async (folder, what) => {
      const inner = join(folder, 'private');
      await mkdir(inner, { mode: 0o700 });
      await writeFile(join(inner, 'key'), '', { mode: 0o600 });
      const modes = [(await stat(inner)).mode & 0o777, (await stat(join(inner, 'key'))).mode & 0o777];
      if (modes[0] === 0o700 && modes[1] === 0o600) return good(what, 'are kept: only you can read the key of a run');
      const found = modes.map((mode) => mode.toString(8)).join(' and ');
      return wrong(
        what,
        `expected 700 and 600, found ${found}: others could read the key of a run`,
        `${OTHER_FOLDER}, at least run folders`,
      );
    },
  },
  {
    what: 'upper and lower case',
    need: OTHER_FOLDER,
    run: async (folder, what) => {
      await writeFile(join(folder, 'Case'), '');
      const apart = (await refusal(writeFile(join(folder, 'case'), '', { flag: 'wx' }))) === undefined;
      if (apart) return good(what, 'are different names');
      return doubtful(what, 'are one name', 'Give no two tasks or arrays names that differ in that alone');
    },
  },
  {
    what: 'memory-mapped file',
    need: `${OTHER_FOLDER}, at least LUTs, which workers map`,
    run: async (folder, what) => {
      const path = join(folder, 'mapped');
      await writeFile(path, 'mapped');
      expect('the content', Buffer.from(await mapFile(path)).toString(), 'mapped');
      return good(what, 'works');
    },
  },
  {
    what: 'SQLite and its locks',
    need: 'Keep graphs (SQLite files) on another file system, e.g. a local disk of the host of the coordinator',
    run: async (folder, what) => {
      const path = join(folder, 'graph.sqlite');
      const [first, second] = [new Database(path), new Database(path, { timeout: 0 })];
      try {
        first.exec('create table t (x); begin immediate; insert into t values (1)');
        let refused: unknown;
        try {
          second.exec('begin immediate');
        } catch (error) {
          refused = codeOf(error);
        }
        expect('a refusal of the second writer', refused, 'SQLITE_BUSY');
        first.exec('commit');
        expect('the row', second.prepare('select x from t').pluck().get(), 1);
      } finally {
        first.close();
        second.close();
      }
      return good(what, 'work');
    },
  },
  {
    what: 'clock of the file server',
    need: OTHER_FOLDER,
    run: async (folder, what) => {
      const path = join(folder, 'time');
      await writeFile(path, '');
      const past = new Date(0);
      await utimes(path, past, past);
      const before = Date.now();
      await writeFile(path, 'now');
      return skewFinding(what, before, (await stat(path)).mtimeMs, Date.now());
    },
  },
  {
    what: 'second process',
    need: `${OTHER_FOLDER}: workers must see what others wrote`,
    run: async (folder, what) => {
      const { first, replaced } = await exchangeWithProcess(folder, 'second', 30);
      return good(
        what,
        `sees a new file after ${seconds(first)}, a replaced one after ${seconds(replaced)}, both ways`,
      );
    },
  },
];

/** Difference of two clocks, where a file was written between two readings of ours, all in milliseconds. */
export function skewFinding(what: string, before: number, written: number, after: number): Finding {
  // files are stamped with the time of the last tick
  const skew = written < before ? Math.min(0, written - before + 20) : Math.max(0, written - after);
  if (Math.abs(skew) <= 2_000) {
    return good(what, `agrees with this host's${Math.abs(skew) < 1 ? '' : ` to ${Math.abs(skew).toFixed(0)} ms`}`);
  }
  const found = `is ${(Math.abs(skew) / 1000).toFixed(1)} s ${skew > 0 ? 'ahead of' : 'behind'} this host's`;
  return doubtful(what, found, 'Set the clocks (NTP). Runs do not depend on it, but times in logs cannot be compared');
}

const seconds = (value: number) => `${value.toFixed(2)} s`;

/** The code of the error of what should fail; undefined when it does not. */
async function refusal(action: Promise<unknown>): Promise<string | undefined> {
  try {
    await action;
    return undefined;
  } catch (error) {
    return codeOf(error) ?? 'an error without a code';
  }
}

function expect(what: string, found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`expected ${what} (${String(expected)}), found ${String(found)}`);
}
