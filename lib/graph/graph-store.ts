import type { Roi } from '../geometry/roi.js';

/** Fragments as columns. */
export interface NodeColumns {
  readonly ids: BigUint64Array;
  /** Voxels of each fragment. */
  readonly sizes: BigUint64Array;
  /** [ids, dimensions]: centre of mass in world units. */
  readonly positions: Float64Array;
}

/** Partial sums of one score over the voxel pairs of each edge. The score of an edge is scale * sum / count. */
export interface AttributeColumns {
  readonly sums: Float64Array;
  /** Voxel pairs behind the sum; 0 = the edge has no such score. Fits 2^53. */
  readonly counts: Float64Array;
}

/** Edges as columns; 0 < u < v. */
export interface EdgeColumns {
  readonly u: BigUint64Array;
  readonly v: BigUint64Array;
  readonly attributes: Readonly<Record<string, AttributeColumns>>;
}

export interface EdgeAttribute {
  /** A letter, then letters, digits, `_`, `.`, `-`; at most 64 characters. */
  readonly name: string;
  /** Factor from a sum of stored values to the score: 1 for float affinities, 1 / 255 for uint8. */
  readonly scale: number;
}

export interface GraphSchema {
  /** Axes of positions and Rois, 1 to 6. */
  readonly dimensions: number;
}

/** Whose rows: those of one block of one task are replaced together. */
export interface BlockKey {
  readonly task: string;
  readonly block: number;
  /** The block's writeRoi, kept for people; reads look at the nodes' positions and the edges' ids. */
  readonly roi: Roi;
}

/** Rows of one block as they were written. A block with very many rows may come in several parts, in order. */
export interface NodeRows extends NodeColumns {
  readonly task: string;
  readonly block: number;
}

/** As {@link NodeRows}. Attributes are those that the block's task writes. */
export interface EdgeRows extends EdgeColumns {
  readonly task: string;
  readonly block: number;
}

/**
 * A region adjacency graph whose rows belong to blocks. Rows of a block are replaced atomically, so an attempt that is
 * run again leaves no trace of the one before; a write resolves when the rows are on disk. Edge rows are partial sums;
 * readers add them up in the order of (task, block), so a score does not depend on who wrote first.
 *
 * Every method but `init` rejects with ERR_GRAPH where there is no graph store yet.
 */
export interface GraphStore {
  /** Creates the store, or checks that the one there has this schema (ERR_GRAPH otherwise). */
  init(schema: GraphSchema): Promise<void>;
  /** Registers the edge attributes that a task writes; idempotent; ERR_GRAPH when one exists with another scale. */
  addEdgeAttributes(attributes: readonly EdgeAttribute[]): Promise<void>;
  /** Ascending by name. */
  edgeAttributes(): Promise<readonly EdgeAttribute[]>;
  writeNodes(key: BlockKey, nodes: NodeColumns): Promise<void>;
  writeEdges(key: BlockKey, edges: EdgeColumns): Promise<void>;
  /** Removes all rows of a task, e.g. before it runs with other blocks. */
  clear(task: string): Promise<void>;
  /**
   * Nodes whose position lies in the Roi (all without one), ascending by id. ERR_GRAPH when an id comes twice. Peak
   * memory: what is returned, once more, and 32 bytes a row.
   */
  readNodes(roi?: Roi): Promise<NodeColumns>;
  /**
   * Edges whose u or v is a node of the Roi (all without one), ascending by (u, v), partial sums added, with every
   * registered attribute. Peak memory: the rows of the store once, and 32 bytes a row where they do not ascend; with a Roi
   * as for nodes.
   */
  readEdges(roi?: Roi): Promise<EdgeColumns>;
  /** Stored rows of every block with a node in the Roi, in the order of (task, block). */
  nodeRows(roi?: Roi): AsyncIterable<NodeRows>;
  /** Stored rows of edges, of all tasks. */
  edgeRowCount(): Promise<number>;
  /** Stored rows of every block that may have an edge of {@link readEdges}, in the order of (task, block). */
  edgeRows(roi?: Roi): AsyncIterable<EdgeRows>;
  /** Commits the writes that were asked for, then lets go of the file or connection. */
  close(): Promise<void>;
}
