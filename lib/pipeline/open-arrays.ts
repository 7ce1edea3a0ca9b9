import { BlockwrightError } from '../errors.js';
import { ChunkedArray } from '../storage/chunked-array.js';
import { Once } from './once.js';

/** The arrays of a pipeline by name, each opened once. */
export class OpenArrays {
  private readonly open = new Once();

  constructor(
    /** Store of each array, absolute. */
    private readonly stores: ReadonlyMap<string, string>,
  ) {}

  get(name: string): Promise<ChunkedArray> {
    const store = this.stores.get(name);
    if (store === undefined) {
      return Promise.reject(new BlockwrightError('ERR_CONFIG', `there is no array '${name}' in the pipeline`));
    }
    return this.open.get(store, () => ChunkedArray.open(store));
  }
}
