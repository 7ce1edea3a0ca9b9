// Prepares what `npm run demo` and `npm test` need: system libraries, npm packages, the kernels addon, the compiled
// TypeScript. Uses nothing but Node, does only what is missing, and names the command where it may not do it itself.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(root);
const nativeOnly = process.argv.includes('--native');
const ADDON = 'build/Release/blockwright_kernels.node';

function say(text) {
  console.error(`setup: ${text}`);
}

function fail(text) {
  console.error(`setup: ${text}`);
  process.exit(2);
}

function run(command, args, { env, why }) {
  say(why);
  const began = Date.now();
  const result = spawnSync(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    maxBuffer: 1 << 28,
  });
  if (result.error !== undefined || result.status !== 0) {
    process.stderr.write(result.stdout ?? '');
    process.stderr.write(result.stderr ?? '');
    fail(
      `failed: ${command} ${args.join(' ')} (${result.error?.message ?? `exit status ${result.status ?? result.signal}`})`,
    );
  }
  say(`done in ${((Date.now() - began) / 1000).toFixed(1)} s`);
}

/** Modification time of the newest file under the paths, in ms. */
function newest(paths) {
  let time = 0;
  for (const path of paths) {
    if (!existsSync(path)) continue;
    const status = statSync(path);
    time = Math.max(time, status.mtimeMs);
    if (status.isDirectory()) time = Math.max(time, newest(readdirSync(path).map((name) => join(path, name))));
  }
  return time;
}

const age = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) fail(`Node 20.19 or later is needed, this is ${process.versions.node}`);

// 1. System libraries and compilers: only when something must be compiled.
const usesPrebuilt = existsSync('prebuilds');
function missingPackages() {
  const found = (name) =>
    (process.env.PATH ?? '').split(':').some((folder) => folder !== '' && existsSync(join(folder, name)));
  const header = (name) => existsSync(`/usr/include/${name}`) || existsSync(`/usr/local/include/${name}`);
  return [
    ['g++', found('g++') || found('c++')],
    ['make', found('make')],
    ['cmake', found('cmake')],
    ['python3', found('python3')],
    ['libblosc-dev', header('blosc.h')],
    ['libzstd-dev', header('zstd.h')],
    ['libdeflate-dev', header('libdeflate.h')],
    ['liblz4-dev', header('lz4.h')],
  ]
    .filter(([, present]) => !present)
    .map(([name]) => name);
}
if (!usesPrebuilt && process.platform === 'linux') {
  const missing = missingPackages();
  if (missing.length > 0) {
    const command = `apt-get update && apt-get install -y --no-install-recommends ${missing.join(' ')}`;
    if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
      fail(
        `missing: ${missing.join(', ')}. Install them (on Debian or Ubuntu: sudo sh -c '${command}') and run this again.`,
      );
    }
    run('sh', ['-c', command], { env: { DEBIAN_FRONTEND: 'noninteractive' }, why: `installing ${missing.join(', ')}` });
  }
}

// Tests on a SLURM cluster need its programs, which nobody wants by the way: they are installed where it is asked for, and only there.
if (process.env.BLOCKWRIGHT_TEST_CLUSTER === 'install' && !existsSync('/usr/sbin/slurmctld')) {
  const command = 'apt-get update && apt-get install -y --no-install-recommends slurm-wlm munge iproute2';
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const may = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  if (may) say('installing SLURM for its tests');
  // without it the other tests are worth as much
  if (!may || spawnSync('sh', ['-c', command], { stdio: 'ignore', env }).status !== 0) {
    say(`SLURM is not here, its tests are left out (on Debian or Ubuntu, as root: ${command})`);
  }
}

// 2. npm packages. node-gyp takes Node's headers from beside the binary where they are, else it downloads them.
const headers = join(dirname(process.execPath), '..');
const env = existsSync(join(headers, 'include/node/node.h')) ? { npm_config_nodedir: headers } : {};
// The lock file's hash is kept beside what was installed: times of files change with every checkout.
const INSTALLED = 'node_modules/.blockwright-lock';
const lock = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex');
const installed = existsSync(INSTALLED)
  ? readFileSync(INSTALLED, 'utf8') === lock
  : age('node_modules/.package-lock.json') >= age('package-lock.json');
if (!nativeOnly && !installed) {
  run('npm', ['ci', '--no-audit', '--no-fund'], {
    env: { JOBS: 'max', ...env },
    why: 'installing npm packages (a compiled one can take a few minutes)',
  });
  writeFileSync(INSTALLED, lock);
}

// 3. The kernels addon: built again when a source is newer, or the list of sources changed.
if (!usesPrebuilt) {
  const sources = readdirSync('native', { recursive: true }).map(String).sort().join('\n');
  const list = 'build/sources.txt';
  const sameList = existsSync(list) && readFileSync(list, 'utf8') === sources;
  if (!sameList || age(ADDON) < newest(['native', 'binding.gyp'])) {
    const gyp = 'node_modules/node-gyp/bin/node-gyp.js';
    const jobs = `-j${Math.max(1, availableParallelism())}`;
    const steps =
      sameList && existsSync('build/Makefile') && age('build/Makefile') > age('binding.gyp')
        ? ['build']
        : ['configure', 'build'];
    run(process.execPath, [gyp, ...steps, jobs], {
      env,
      why: 'building the kernels addon (a minute or two the first time)',
    });
    utimesSync(ADDON, new Date(), new Date());
    writeFileSync(list, sources);
  }
}

// 4. TypeScript: compiled from nothing when a file came or went, so that no output of a removed file stays behind.
if (!nativeOnly) {
  const folders = ['lib', 'test', 'benchmarks'];
  const STAMP = 'dist/sources.txt';
  const sources = folders
    .flatMap((folder) => readdirSync(folder, { recursive: true }).map((name) => `${folder}/${name}`))
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .join('\n');
  const sameFiles = existsSync(STAMP) && readFileSync(STAMP, 'utf8') === sources;
  if (!sameFiles || age(STAMP) < newest([...folders, 'tsconfig.json', 'package.json'])) {
    if (!sameFiles) rmSync('dist', { recursive: true, force: true });
    run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'], {
      env: {},
      why: 'compiling TypeScript',
    });
    writeFileSync(STAMP, sources);
  }
}
