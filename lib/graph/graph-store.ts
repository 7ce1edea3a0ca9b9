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

/** Edges as columns; u < v. */
export interface EdgeColumns {
  readonly u: BigUint64Array;
  readonly v: BigUint64Array;
  readonly attributes: Readonly<Record<string, AttributeColumns>>;
}

export interface EdgeAttribute {
  readonly name: string;
  /** Factor from a sum of stored values to the score: 1 for float affinities, 1 / 255 for uint8. */
  readonly scale: number;
}

export interface GraphSchema {
  readonly dimensions: number;
}

/** Whose rows: those of one block of one task are replaced together. */
export interface BlockKey {
  readonly task: string;
  readonly block: number;
  /** The block's writeRoi: the key of spatial reads. */
  readonly roi: Roi;
}

/**
 * A region adjacency graph whose rows belong to blocks. Rows of a block are replaced atomically, so an attempt that is
 * run again leaves no trace of the one before. Edge rows are partial sums; readers add them up in the order of
 * (task, block), so a score does not depend on who wrote first.
 */
export interface GraphStore {
  /** Creates the store, or checks that the one there has this schema (ERR_GRAPH otherwise). */
  init(schema: GraphSchema): Promise<void>;
  /** Registers the edge attributes that a task writes; idempotent; ERR_GRAPH when one exists with another scale. */
  addEdgeAttributes(attributes: readonly EdgeAttribute[]): Promise<void>;
  edgeAttributes(): Promise<readonly EdgeAttribute[]>;
  writeNodes(key: BlockKey, nodes: NodeColumns): Promise<void>;
  writeEdges(key: BlockKey, edges: EdgeColumns): Promise<void>;
  /** Nodes whose position lies in the Roi (all without one), ascending by id. */
  readNodes(roi?: Roi): Promise<NodeColumns>;
  /** Edges whose u or v is a node of the Roi (all without one), ascending by (u, v), partial sums added. */
  readEdges(roi?: Roi): Promise<EdgeColumns>;
  close(): Promise<void>;
}
