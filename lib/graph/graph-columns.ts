import { BlockwrightError } from '../errors.js';
import { argumentError, checkType } from '../native/checks.js';
import type { BlockKey, EdgeAttribute, EdgeColumns, NodeColumns } from './graph-store.js';

const ATTRIBUTE_NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;

function checkColumn(name: string, column: unknown, type: 'BigUint64Array' | 'Float64Array', length?: number): void {
  checkType(name, column, type);
  const { length: elements } = column as ArrayLike<unknown>;
  if (length !== undefined && elements !== length) throw argumentError(name, `${length} elements`, elements);
}

/** Types and lengths of node columns. */
export function checkNodeColumns(nodes: NodeColumns, dimensions: number): void {
  checkColumn('ids', nodes.ids, 'BigUint64Array');
  checkColumn('sizes', nodes.sizes, 'BigUint64Array', nodes.ids.length);
  checkColumn('positions', nodes.positions, 'Float64Array', nodes.ids.length * dimensions);
}

/** Types and lengths of edge columns. */
export function checkEdgeColumns(edges: EdgeColumns): void {
  checkColumn('u', edges.u, 'BigUint64Array');
  checkColumn('v', edges.v, 'BigUint64Array', edges.u.length);
  for (const [name, { sums, counts }] of Object.entries(edges.attributes)) {
    checkColumn(`${name}.sums`, sums, 'Float64Array', edges.u.length);
    checkColumn(`${name}.counts`, counts, 'Float64Array', edges.u.length);
  }
}

/** Values of node columns: what would make a read wrong must not be stored. */
export function checkNodeValues({ ids, positions }: NodeColumns): void {
  for (let row = 0; row < ids.length; row++) {
    if (ids[row] === 0n) throw argumentError(`ids[${row}]`, 'a fragment (0 is background)', 0);
  }
  for (let index = 0; index < positions.length; index++) {
    // Rois end there too, and the spatial index is float32.
    if (!(Math.abs(positions[index]) <= Number.MAX_SAFE_INTEGER)) {
      throw argumentError(`positions[${index}]`, 'a number within ±(2^53 - 1)', positions[index]);
    }
  }
}

/** Values of edge columns. */
export function checkEdgeValues({ u, v, attributes }: EdgeColumns): void {
  for (let row = 0; row < u.length; row++) {
    if (u[row] === 0n || u[row] >= v[row]) throw argumentError(`edge ${row}`, '0 < u < v', `${u[row]}, ${v[row]}`);
  }
  for (const [name, { sums, counts }] of Object.entries(attributes)) {
    for (let row = 0; row < sums.length; row++) {
      if (!Number.isFinite(sums[row])) throw argumentError(`${name}.sums[${row}]`, 'a number', sums[row]);
      if (!Number.isSafeInteger(counts[row]) || counts[row] < 0) {
        throw argumentError(`${name}.counts[${row}]`, 'a whole number, 0 or more', counts[row]);
      }
    }
  }
}

export function checkBlockKey({ task, block, roi }: BlockKey, dimensions: number): void {
  checkTask(task);
  if (!Number.isSafeInteger(block) || block < 0) throw argumentError('block', 'a whole number, 0 or more', block);
  if (roi.dimensions !== dimensions) throw argumentError('roi', `${dimensions} dimensions`, roi.dimensions);
}

export function checkTask(task: string): void {
  if (task === '' || task.length > 200) throw argumentError('task', 'a name of 1 to 200 characters', `'${task}'`);
}

export function checkDimensions(dimensions: number): void {
  if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > 6) {
    throw argumentError('dimensions', '1 to 6', dimensions);
  }
}

export function checkEdgeAttribute({ name, scale }: EdgeAttribute): void {
  if (!ATTRIBUTE_NAME.test(name)) {
    throw argumentError('edge attribute', 'a letter, then at most 63 letters, digits, _, . or -', `'${name}'`);
  }
  if (!Number.isFinite(scale) || scale === 0) throw argumentError(`scale of ${name}`, 'a number, not 0', scale);
}

/** ERR_GRAPH unless every attribute of the rows is registered. */
export function checkRegistered(edges: EdgeColumns, registered: readonly EdgeAttribute[]): void {
  for (const name of Object.keys(edges.attributes)) {
    if (registered.some((attribute) => attribute.name === name)) continue;
    const names = registered.map((attribute) => attribute.name).join(', ');
    throw new BlockwrightError(
      'ERR_GRAPH',
      `edge attribute ${name}: expected one that the store knows (${names || 'it knows none'}); register it first`,
    );
  }
}
