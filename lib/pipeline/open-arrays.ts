import { BlockwrightError } from '../errors.js';
import type { Volume } from '../storage/volume.js';
import { openVolume, type VolumeSource } from '../storage/volume-source.js';
import { Once } from './once.js';

/** The arrays of a pipeline by name, each opened once. */
export class OpenArrays {
  private readonly open = new Once();

  constructor(private readonly sources: ReadonlyMap<string, VolumeSource>) {}

  get(name: string): Promise<Volume> {
    const source = this.sources.get(name);
    if (source === undefined) {
      return Promise.reject(new BlockwrightError('ERR_CONFIG', `there is no array '${name}' in the pipeline`));
    }
    return this.open.get(name, () => openVolume(source));
  }
}
