import { readlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { jest } from '@jest/globals';

/** The files and folders that are synced (by `FileHandle.sync`) meanwhile, absolute; on Linux, as names come from /proc. */
export async function syncedBy(work: () => Promise<void>): Promise<ReadonlySet<string>> {
  const handle = await open('/', 'r');
  const { sync } = handle;
  const prototype = Object.getPrototypeOf(handle) as typeof handle;
  await handle.close();
  const synced = new Set<string>();
  const spy = jest.spyOn(prototype, 'sync').mockImplementation(function (this: typeof handle) {
    synced.add(readlinkSync(`/proc/self/fd/${this.fd}`));
    return sync.call(this);
  });
  try {
    await work();
  } finally {
    spy.mockRestore();
  }
  return synced;
}
