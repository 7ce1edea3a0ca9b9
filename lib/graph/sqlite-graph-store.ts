import type { Roi } from '../geometry/roi.js';
import {
  checkBlockKey,
  checkDimensions,
  checkEdgeAttribute,
  checkEdgeColumns,
  checkEdgeValues,
  checkNodeColumns,
  checkNodeValues,
  checkRegistered,
  checkTask,
} from './graph-columns.js';
import type {
  BlockKey,
  EdgeAttribute,
  EdgeColumns,
  EdgeRows,
  GraphSchema,
  GraphStore,
  NodeColumns,
  NodeRows,
} from './graph-store.js';
import { readMergedEdges, readMergedNodes } from './merged-rows.js';
import { createGraphFile, graphError, guarded, openGraphFile, type SqliteDatabase } from './sqlite-graph-file.js';
import { SqliteGraphTables } from './sqlite-graph-tables.js';

interface PendingWrite {
  readonly apply: (tables: SqliteGraphTables) => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A graph store in one SQLite file, in this thread: each call blocks it while SQLite works. {@link ThreadedGraphStore} is
 * the same behind a thread. Writes that arrive in one turn of the event loop share a commit.
 */
export class SqliteGraphStore implements GraphStore {
  private opened: SqliteGraphTables | undefined;
  private closed = false;
  private readonly pending: PendingWrite[] = [];

  /** @param path the file; it is opened, and by {@link init} created, when it is first needed */
  constructor(readonly path: string) {}

  async init(schema: GraphSchema): Promise<void> {
    checkDimensions(schema.dimensions);
    this.checkOpen();
    this.opened?.close();
    this.opened = undefined;
    this.opened = this.open(createGraphFile(this.path, schema));
  }

  async addEdgeAttributes(attributes: readonly EdgeAttribute[]): Promise<void> {
    for (const attribute of attributes) checkEdgeAttribute(attribute);
    const tables = this.tables();
    guarded(this.path, () =>
      tables.transaction(() => {
        for (const attribute of attributes) tables.addEdgeAttribute(attribute);
      }),
    );
  }

  async edgeAttributes(): Promise<readonly EdgeAttribute[]> {
    return this.read((tables) => tables.edgeAttributes());
  }

  async writeNodes(key: BlockKey, nodes: NodeColumns): Promise<void> {
    const { dimensions } = this.tables();
    checkBlockKey(key, dimensions);
    checkNodeColumns(nodes, dimensions);
    checkNodeValues(nodes);
    await this.write((tables) => tables.replaceNodes(key, nodes));
  }

  async writeEdges(key: BlockKey, edges: EdgeColumns): Promise<void> {
    const tables = this.tables();
    checkBlockKey(key, tables.dimensions);
    checkEdgeColumns(edges);
    checkRegistered(
      edges,
      this.read(() => tables.edgeAttributes()),
    );
    checkEdgeValues(edges);
    await this.write((tables) => tables.replaceEdges(key, edges));
  }

  async clear(task: string): Promise<void> {
    checkTask(task);
    await this.write((tables) => tables.clear(task));
  }

  readNodes(roi?: Roi): Promise<NodeColumns> {
    return readMergedNodes(this, roi);
  }

  readEdges(roi?: Roi): Promise<EdgeColumns> {
    return readMergedEdges(this, roi);
  }

  async edgeRowCount(): Promise<number> {
    return this.read((tables) => tables.edgeRowCount());
  }

  async *nodeRows(roi?: Roi): AsyncGenerator<NodeRows> {
    for (const id of this.read((tables) => tables.nodeBlocks(roi))) {
      const rows = this.read((tables) => tables.nodeRows(id));
      if (rows !== undefined) yield rows;
    }
  }

  async *edgeRows(roi?: Roi): AsyncGenerator<EdgeRows> {
    for (const id of this.read((tables) => tables.edgeBlocks(roi))) {
      const rows = this.read((tables) => tables.edgeRows(id));
      if (rows !== undefined) yield rows;
    }
  }

  async close(): Promise<void> {
    this.commit();
    this.closed = true;
    this.opened?.close();
    this.opened = undefined;
  }

  private tables(): SqliteGraphTables {
    this.checkOpen();
    this.opened ??= this.open(openGraphFile(this.path));
    return this.opened;
  }

  private open(database: SqliteDatabase): SqliteGraphTables {
    try {
      return guarded(this.path, () => new SqliteGraphTables(this.path, database));
    } catch (error) {
      database.close();
      throw error;
    }
  }

  private checkOpen(): void {
    if (this.closed) throw graphError(this.path, 'an open graph store', 'a closed one');
  }

  private read<Result>(action: (tables: SqliteGraphTables) => Result): Result {
    const tables = this.tables();
    return guarded(this.path, () => action(tables));
  }

  /** Resolves when the change is on disk. */
  private write(apply: PendingWrite['apply']): Promise<void> {
    this.tables();
    return new Promise((resolve, reject) => {
      this.pending.push({ apply, resolve, reject });
      if (this.pending.length === 1) setImmediate(() => this.commit());
    });
  }

  private commit(writes = this.pending.splice(0)): void {
    if (writes.length === 0) return;
    try {
      this.read((tables) =>
        tables.transaction(() => {
          for (const { apply } of writes) apply(tables);
        }),
      );
    } catch (error) {
      if (writes.length === 1) writes[0].reject(error);
      // One may have failed for all, e.g. by its size.
      else for (const write of writes) this.commit([write]);
      return;
    }
    for (const { resolve } of writes) resolve();
  }
}
