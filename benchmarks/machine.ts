import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { type EnvironmentName, referencePython } from './reference.js';

/** What figures were measured on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
}

export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${distribution()}${type()} ${release().split('-', 1)[0]}`,
    node: process.version,
  };
}

function distribution(): string {
  try {
    const name = /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
    return name === undefined ? '' : `${name}, `;
  } catch {
    return '';
  }
}

/** Two descriptions of one machine, whatever its Node. */
export function isSameMachine(a: Machine, b: Machine): boolean {
  return a.cpu === b.cpu && a.cores === b.cores && a.memoryBytes === b.memoryBytes && a.system === b.system;
}

/** The folder of the benchmarks' sources (this file runs from dist/benchmarks). */
const sources = join(import.meta.dirname, '..', '..', 'benchmarks');

function git(...args: readonly string[]): string | undefined {
  try {
    return execFileSync('git', args, { cwd: sources, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

/** The commit that is checked out, and whether anything but saved results was changed since; undefined without git. */
export function commit(): { readonly name: string; readonly changed: boolean } | undefined {
  const name = git('rev-parse', '--short=12', 'HEAD');
  if (name === undefined) return undefined;
  const changes = git('status', '--porcelain', '--', ':/', ':(exclude)results', ':(exclude)RESULTS.md');
  return { name, changed: changes !== '' };
}

const VERSIONS = `
import importlib.metadata, json, platform, re, sys
found = {"python": platform.python_version()}
for line in open(sys.argv[1]):
    name = re.match(r"[A-Za-z0-9._-]+", line)
    if name:
        try:
            found[name[0]] = importlib.metadata.version(name[0])
        except importlib.metadata.PackageNotFoundError:
            pass
print(json.dumps(found))
`;

/** Versions of Python and of the packages that an environment was made for; empty where it is not there. */
export function referenceVersions(environment: EnvironmentName): Readonly<Record<string, string>> {
  const python = referencePython(environment);
  if (python === undefined) return {};
  const requirements = join(sources, 'reference', `requirements-${environment}.txt`);
  return JSON.parse(execFileSync(python, ['-c', VERSIONS, requirements], { encoding: 'utf8' })) as Record<
    string,
    string
  >;
}
