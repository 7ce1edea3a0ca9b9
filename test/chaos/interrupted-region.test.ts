import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { temporaryFolder } from '../support/stores.js';
import { buildShim } from './shim.js';

// fault 5: a region is written, and read, by a process of which a signal interrupts one call, whichever it is

const folder = temporaryFolder();
afterAll(folder.remove);
const shim = join(folder.path, 'fault-shim.so');
const reason = buildShim('fault-shim', shim);
const program = join(import.meta.dirname, '..', 'support', 'storage-writer.js');
const path = join(folder.path, 'interrupted.zarr');

/** Runs the program with the call interrupted; undefined when it makes fewer calls. */
function interrupted(mode: 'write' | 'read', call: number): unknown {
  const once = join(folder.path, 'happened');
  const environment = {
    LD_PRELOAD: shim,
    FAULT_PROCESS: mode,
    FAULT_FOLDER: folder.path,
    FAULT_AT: String(call),
    FAULT_KIND: String(constants.errno.EINTR),
    FAULT_ONCE: once,
  };
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, mode, path], {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    timeout: 20_000,
  });
  const happened = existsSync(once);
  rmSync(once, { force: true });
  if (!happened) return undefined;
  return status === 0 ? ((JSON.parse(stdout) as { failure?: unknown }).failure ?? 'as ever') : { status, stderr };
}

test.each(['write', 'read'] as const)(
  'a region whose calls are interrupted, each in turn: %s',
  async (mode) => {
    if (reason !== undefined) return console.warn(`skipped: ${reason}`);
    if (mode === 'write') {
      const place = { offset: new Coordinate([0, 0]), voxelSize: new Coordinate([1, 1]), units: ['nm', 'nm'] };
      const axes = { channelAxes: 0, axisNames: ['y', 'x'], attributes: {} };
      await ChunkedArray.create(path, { shape: [4, 4], chunkShape: [2, 4], dataType: 'uint8', ...place, ...axes });
    }
    let call = 0;
    for (let outcome = interrupted(mode, ++call); outcome !== undefined; outcome = interrupted(mode, ++call)) {
      expect({ call, outcome }).toEqual({ call, outcome: 'as ever' });
    }
    // the array's metadata, its folder, and two chunks
    expect(call).toBeGreaterThan(4);
    console.log(`fault 5: EINTR at each of ${call - 1} calls of a region: ${mode}`);
  },
  300_000,
);
