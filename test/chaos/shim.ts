import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Compiles a library that is preloaded into a program under test; the reason if that is not possible here. */
export function buildShim(name: 'fault-shim' | 'clock-shim', path: string): string | undefined {
  if (process.platform !== 'linux') return `made for Linux, this is ${process.platform}`;
  const source = join(import.meta.dirname, '..', '..', '..', 'test', 'chaos', `${name}.c`);
  const built = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', path, source, '-ldl'], { encoding: 'utf8' });
  return built.status === 0 ? undefined : `no C compiler: ${built.error?.message ?? built.stderr}`;
}
