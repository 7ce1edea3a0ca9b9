import { indexOf, position } from './labels.js';

/** The plain version: a flood from each voxel in raster order. */
export function naiveComponents(labels: BigUint64Array, shape: readonly number[], reach: number) {
  let steps: number[][] = [[]];
  for (const _ of shape) steps = steps.flatMap((step) => [-1, 0, 1].map((value) => [...step, value]));
  steps = steps.filter((step) => {
    const changes = step.filter((value) => value !== 0).length;
    return changes > 0 && changes <= reach;
  });
  const result = new BigUint64Array(labels.length);
  let count = 0;
  labels.forEach((label, start) => {
    if (label === 0n || result[start] !== 0n) return;
    ++count;
    result[start] = BigInt(count);
    const queue = [start];
    for (const voxel of queue) {
      const place = position(voxel, shape);
      for (const step of steps) {
        const neighbour = indexOf(
          place.map((value, axis) => value + step[axis]),
          shape,
        );
        if (neighbour === undefined || labels[neighbour] !== label || result[neighbour] !== 0n) continue;
        result[neighbour] = BigInt(count);
        queue.push(neighbour);
      }
    }
  });
  return { labels: result, count };
}
