import type { TaskDefinition } from '../workers/task-definition.js';
import { affAgglom } from './aff-agglom.js';
import { argmax } from './argmax.js';
import { componentsLut } from './components-lut.js';
import { connectedComponents } from './connected-components.js';
import { contingency } from './contingency.js';
import { copy } from './copy.js';
import { downsample } from './downsample.js';
import { evaluate } from './evaluate.js';
import { extractFrags } from './extract-frags.js';
import { graphMws } from './graph-mws.js';
import { relabel } from './relabel.js';
import { threshold } from './threshold.js';

/** Every task type that needs no plugin. */
export const builtInTasks: readonly TaskDefinition[] = [
  extractFrags,
  affAgglom,
  graphMws,
  relabel,
  connectedComponents,
  componentsLut,
  copy,
  downsample,
  contingency,
  evaluate,
  argmax,
  threshold,
] as readonly TaskDefinition[];
