import { isBlockwrightError, messageOf } from '../errors.js';
import { nodeAt } from '../storage/hierarchy.js';
import { whyNoImageAt, zarrFormatOf } from '../storage/image-metadata.js';
import { innerStore } from '../storage/inner-path.js';
import type { Check } from './check.js';
import { pathOfReference } from './plan-context.js';
import { type Refusal, refusal } from './refusal.js';

/** An image's group must be none yet or one of its format, and so must a finest level that is there before. */
export async function checkImages({ pipeline, task, plan }: Check): Promise<Refusal[]> {
  const found: Refusal[] = [];
  for (const { name, pyramid } of plan.images ?? []) {
    const store = pipeline.arrays.get(name)?.store;
    if (store === undefined) continue;
    const { version, base } = pyramid;
    const refuse = (text: string, code?: Refusal['code']) => {
      const message = `the image '${name}' cannot be written to ${store}: ${text}`;
      found.push(refusal(pipeline, pathOfReference(task, 'array', name), message, code));
    };
    try {
      const reason = await whyNoImageAt(store, version);
      const finest = pyramid.extends ? await nodeAt(innerStore(store, base)) : undefined;
      if (reason !== undefined) refuse(reason);
      else if (finest?.kind === 'array' && finest.zarrFormat !== zarrFormatOf(version)) {
        refuse(
          `its finest level ${base} is zarr v${finest.zarrFormat}, and OME-Zarr ${version} is zarr v${zarrFormatOf(version)}`,
        );
      }
    } catch (error) {
      refuse(messageOf(error), isBlockwrightError(error) ? error.code : 'ERR_IO');
    }
  }
  return found;
}
