import type { Service } from '../coordinator/service-desk.js';
import { BlockwrightError } from '../errors.js';
import { ThreadedGraphStore } from '../graph/graph-thread.js';
import type { PipelineGraph } from './pipeline.js';

/** The graph stores of a run: one a file, in a thread of its own, opened when first used. */
export class GraphStores {
  private readonly open = new Map<string, ThreadedGraphStore>();

  constructor(private readonly graphs: ReadonlyMap<string, PipelineGraph>) {}

  get(name: string): ThreadedGraphStore {
    const graph = this.graphs.get(name);
    if (graph === undefined) throw new BlockwrightError('ERR_CONFIG', `there is no graph '${name}' in the pipeline`);
    const store = this.open.get(graph.path) ?? new ThreadedGraphStore(graph.path);
    this.open.set(graph.path, store);
    return store;
  }

  /** Answers the calls of {@link RemoteGraphStore}s in workers. */
  service(): Service {
    return Object.fromEntries(
      [...this.graphs.keys()].map((name) => [
        name,
        (_request, header, payload) => this.get(name).serve(header, payload),
      ]),
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.open.values()].map((store) => store.close()));
    this.open.clear();
  }
}
