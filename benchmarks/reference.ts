import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of the benchmarks' sources (this file runs from dist/benchmarks). */
const sources = join(import.meta.dirname, '..', '..', 'benchmarks');

export type EnvironmentName = 'volara' | 'daisy2' | 'storage' | 'bioimage';

/** Where the Python environments are: BLOCKWRIGHT_REFERENCE, else benchmarks/.reference. */
export function referenceFolder(): string {
  return process.env.BLOCKWRIGHT_REFERENCE ?? join(sources, '.reference');
}

/** The Python of an environment, or undefined when it has not been made. */
export function referencePython(environment: EnvironmentName): string | undefined {
  const python = join(referenceFolder(), environment, 'bin', 'python');
  return existsSync(python) ? python : undefined;
}

export function referenceScript(name: string): string {
  return join(sources, 'reference', `${name}.py`);
}

/** Why an environment cannot be used, and what to do. */
export function howToMake(environment: EnvironmentName): string {
  return `no Python environment '${environment}' in ${referenceFolder()}; make it with benchmarks/reference/make-environment.sh`;
}
