import type { TaskDefinition } from '../workers/task-definition.js';

/** Where each built-in type is: a worker loads those that its run has, which is sooner done. */
const MODULES: Readonly<Record<string, () => Promise<object>>> = {
  'extract-frags': async () => (await import('./extract-frags.js')).extractFrags,
  'aff-agglom': async () => (await import('./aff-agglom.js')).affAgglom,
  'graph-mws': async () => (await import('./graph-mws.js')).graphMws,
  relabel: async () => (await import('./relabel.js')).relabel,
  'connected-components': async () => (await import('./connected-components.js')).connectedComponents,
  'components-lut': async () => (await import('./components-lut.js')).componentsLut,
  copy: async () => (await import('./copy.js')).copy,
  downsample: async () => (await import('./downsample.js')).downsample,
  contingency: async () => (await import('./contingency.js')).contingency,
  evaluate: async () => (await import('./evaluate.js')).evaluate,
  argmax: async () => (await import('./argmax.js')).argmax,
  threshold: async () => (await import('./threshold.js')).threshold,
};

export const BUILT_IN_TYPES: readonly string[] = Object.keys(MODULES);

/** The definitions of those of the types that are built in. */
export async function loadBuiltInTasks(types: Iterable<string>): Promise<readonly TaskDefinition[]> {
  const wanted = new Set(types);
  const found = BUILT_IN_TYPES.filter((type) => wanted.has(type));
  return (await Promise.all(found.map((type) => MODULES[type]()))) as readonly TaskDefinition[];
}
