import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { mapFile } from '../../lib/native/map-file.js';

const folder = mkdtempSync(join(tmpdir(), 'blockwright-map-file-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('mapFile', () => {
  test('holds the bytes of the file; writing to them changes neither the file nor other mappings', async () => {
    const path = join(folder, 'values');
    const values = BigUint64Array.from({ length: 3000 }, (_, index) => BigInt(index) * 2n ** 50n);
    writeFileSync(path, values);
    const [one, other] = [await mapFile(path), await mapFile(path)];
    expect(new BigUint64Array(one)).toEqual(values);
    new BigUint64Array(one).fill(1n);
    expect(new BigUint64Array(other)).toEqual(values);
    expect(readFileSync(path).equals(Buffer.from(values.buffer))).toBe(true);
  });

  test('outlives a file that is replaced or removed', async () => {
    const path = join(folder, 'replaced');
    writeFileSync(path, 'before');
    const mapped = await mapFile(path);
    writeFileSync(`${path}.new`, 'after!');
    renameSync(`${path}.new`, path);
    expect(Buffer.from(mapped).toString()).toBe('before');
    expect(Buffer.from(await mapFile(path)).toString()).toBe('after!');
  });

  test('an empty file is an empty buffer', async () => {
    const path = join(folder, 'empty');
    writeFileSync(path, '');
    expect((await mapFile(path)).byteLength).toBe(0);
  });

  test('mappings end when their buffers are collected', async () => {
    const path = join(folder, 'often');
    writeFileSync(path, new Uint8Array(1 << 20));
    const mappings = () => readFileSync('/proc/self/maps', 'latin1').split('often').length - 1;
    for (let round = 0; round < 50; ++round) await mapFile(path);
    const { setFlagsFromString } = await import('node:v8');
    const { runInNewContext } = await import('node:vm');
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    for (let round = 0; round < 5; ++round) {
      collect();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(mappings()).toBeLessThan(10);
  });

  test('what cannot be mapped is named', async () => {
    const missing = join(folder, 'nothing');
    await expect(mapFile(missing)).rejects.toMatchObject({
      code: 'ERR_IO',
      message: `cannot open ${missing}: No such file or directory (errno 2)`,
    });
    await expect(mapFile(folder)).rejects.toMatchObject({
      code: 'ERR_IO',
      message: `cannot map ${folder}: not a regular file`,
    });
  });
});
