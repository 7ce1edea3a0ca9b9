import { BlockwrightError } from '../errors.js';
import { innerPathOf, innerStore } from '../storage/inner-path.js';
import type { Volume } from '../storage/volume.js';
import { openVolume, type VolumeSource } from '../storage/volume-source.js';
import { Once } from './once.js';
import type { Pipeline } from './pipeline.js';

type Sources = ReadonlyMap<string, VolumeSource>;

export function sourcesOf(pipeline: Pipeline): Sources {
  return new Map([...pipeline.arrays.values()].map(({ name, source }) => [name, source]));
}

/** The path of an array in a group, both of them names: undefined where it lies elsewhere. */
export function pathInGroup(sources: Sources, name: string, group: string): string | undefined {
  const [inner, outer] = [sources.get(name), sources.get(group)];
  // What is seen through operations is not what lies there.
  if (inner?.store === undefined || inner.operations !== undefined || outer?.store === undefined) return undefined;
  return innerPathOf(inner.store, outer.store);
}

/** The arrays of a pipeline by name, each opened once. */
export class OpenArrays {
  private readonly open = new Once();

  constructor(private readonly sources: Sources) {}

  /** @param innerPath of an array below the store of that name */
  get(name: string, innerPath = ''): Promise<Volume> {
    const source = this.sources.get(name);
    if (source === undefined) {
      return Promise.reject(new BlockwrightError('ERR_CONFIG', `there is no array '${name}' in the pipeline`));
    }
    if (innerPath === '') return this.open.get(name, () => openVolume(source));
    const store = innerStore(source.store ?? '', innerPath);
    return this.open.get(`${name}/${innerPath}`, () => openVolume({ store }));
  }

  pathInGroup(name: string, group: string): string | undefined {
    return pathInGroup(this.sources, name, group);
  }
}
