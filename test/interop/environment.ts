import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '..', '..', '..', 'test');
const environments = process.env.BLOCKWRIGHT_INTEROP ?? join(folder, '.interop');

export type Environment = 'zarr3' | 'zarr2';
export type Reader = 'zarr' | 'tensorstore' | 'funlib' | 'ome' | 'downsample' | 'consolidate';

/** Why the Python readers cannot be asked; undefined where they can. */
export function whyNoReaders(): string | undefined {
  for (const name of ['zarr3', 'zarr2']) {
    if (existsSync(join(environments, name, 'made-from.txt'))) continue;
    return `skipped: there is no Python environment ${join(environments, name)}; make it with test/interop/make-environment.sh, or name its folder with BLOCKWRIGHT_INTEROP`;
  }
  return undefined;
}

/** What test/interop/read_stores.py answers, by the name of the case. */
export function readStores<Answer>(
  environment: Environment,
  reader: Reader,
  cases: readonly { readonly name: string; readonly path: string }[],
): Record<string, Answer & { readonly error?: string }> {
  const output = execFileSync(
    join(environments, environment, 'bin', 'python'),
    [join(folder, 'interop', 'read_stores.py'), reader],
    { input: JSON.stringify(cases), maxBuffer: 2 ** 28, stdio: ['pipe', 'pipe', 'ignore'] },
  );
  return JSON.parse(output.toString('utf8'));
}
