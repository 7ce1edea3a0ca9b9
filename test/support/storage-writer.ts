/**
 * A child process of the storage tests. `alternate PATH`: writes noise 1, 2, 1, 2, ... to the whole array until it is killed.
 * `write PATH`: writes noise 1 once; prints the error and the sizes of all files below as JSON. `read PATH`: reads it, and prints
 * the error if it is not noise 1.
 */
import assert from 'node:assert/strict';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { noise } from './noise.js';
import { filesBelow } from './stores.js';

const [mode, path] = process.argv.slice(2);
const array = await ChunkedArray.open(path);
const begin = array.shape.map(() => 0);
const length = array.shape.reduce((a, b) => a * b, 1);

if (mode === 'alternate') {
  const contents = [noise(1, length), noise(2, length)];
  await array.writeRegion(begin, array.shape, contents[0]);
  console.log('ready');
  for (let number = 1; ; number += 1) await array.writeRegion(begin, array.shape, contents[number % 2], { threads: 1 });
} else {
  let failure: unknown;
  try {
    const expected = noise(1, length);
    if (mode === 'write') await array.writeRegion(begin, array.shape, expected);
    else assert.deepEqual(await array.readRegion(begin, array.shape), expected);
  } catch (error) {
    const { code, message, details } = error as { code: string; message: string; details: unknown };
    failure = { code, message, details };
  }
  const files = [...filesBelow(path)].map(([name, bytes]) => [name, bytes.length]);
  console.log(JSON.stringify({ failure, files }));
}
