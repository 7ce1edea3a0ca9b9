import type { BlockPlan } from '../blocks/plan.js';
import type { ArrayMetadata } from './metadata.js';
export function findSharedChunk(_p: BlockPlan, _m: ArrayMetadata): { message: string } | undefined { return undefined; }
