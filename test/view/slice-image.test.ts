import { expect, test } from '@jest/globals';
import { decode } from 'fast-png';
import { labelColour } from '../../lib/view/colour.js';
import { channelPicture, enlarge, labelPicture, sideBySide, toPng } from '../../lib/view/slice-image.js';

test('a label has one colour, background is dark grey, near ids differ', () => {
  expect(labelColour(0n)).toEqual([24, 24, 24]);
  const colours = Array.from({ length: 500 }, (_, id) => labelColour(BigInt(id + 1)).join(','));
  expect(labelColour(7n)).toEqual(labelColour(7n));
  expect(new Set(colours).size).toBeGreaterThan(490);
  for (const colour of colours) expect(Math.max(...colour.split(',').map(Number))).toBeGreaterThan(150);
});

test('labels of any type give the same picture', () => {
  const wide = labelPicture(BigUint64Array.of(0n, 1n, 1n, 2n ** 63n), 2, 2);
  expect([...wide.data.subarray(0, 3)]).toEqual([24, 24, 24]);
  expect(wide.data.subarray(3, 6)).toEqual(wide.data.subarray(6, 9));
  expect(labelPicture(Uint8Array.of(0, 1), 1, 2).data).toEqual(wide.data.subarray(0, 6));
});

test('the caller may choose the colours', () => {
  const picture = labelPicture(Uint8Array.of(0, 5), 1, 2, (id) => [Number(id), 1, 2]);
  expect([...picture.data]).toEqual([0, 1, 2, 5, 1, 2]);
});

test('channels become red, green and blue; the last one fills what is missing', () => {
  expect([...channelPicture(Uint8Array.of(1, 2, 3, 4, 5, 6), 3, 1, 2).data]).toEqual([1, 3, 5, 2, 4, 6]);
  expect([...channelPicture(Uint8Array.of(9, 8), 1, 1, 2).data]).toEqual([9, 9, 9, 8, 8, 8]);
});

test('pictures are enlarged, put side by side and written as PNG', () => {
  const red = { width: 1, height: 1, data: Uint8Array.of(255, 0, 0) };
  const blue = { width: 1, height: 1, data: Uint8Array.of(0, 0, 255) };
  const picture = sideBySide([enlarge(red, 2), enlarge(blue, 2)], 1);
  expect([picture.width, picture.height]).toEqual([5, 2]);
  const png = decode(toPng(picture));
  expect([png.width, png.height, png.channels]).toEqual([5, 2, 3]);
  const row = [255, 0, 0, 255, 0, 0, 255, 255, 255, 0, 0, 255, 0, 0, 255];
  expect([...png.data]).toEqual([...row, ...row]);
});
