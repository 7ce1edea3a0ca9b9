// npm run fuzz [-- --seconds S] [--seed N] [--target NAME]: hostile input for a while, the time shared by the targets: the C++
// ones (native/fuzz/*_fuzz.cc, under sanitizers), `metadata` and `calls` (test/fuzz). Ends with one line a target; the exit code is 1 where
// one of them found something, and the input that did it is then in build/fuzz.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

process.chdir(join(dirname(fileURLToPath(import.meta.url)), '..'));
const builds = 'build/native-tests';
const findings = 'build/fuzz';
/** What a target gets beyond its time before it counts as hanging: more than the C++ ones give one input. */
const GRACE_SECONDS = 60;

function fail(message) {
  console.error(`fuzz: ${message}`);
  process.exit(2);
}

const text = { type: 'string' };
const { values } = parseArgs({ options: { seconds: text, seed: text, target: text } });
const seconds = Number(values.seconds ?? 60);
if (!(seconds > 0)) fail(`--seconds: expected a positive number, found ${values.seconds}`);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
if (!Number.isSafeInteger(seed) || seed < 0) fail(`--seed: expected a whole number, found ${values.seed}`);

const native = readdirSync('native/fuzz')
  .map((name) => /^(.*_fuzz)\.cc$/.exec(name)?.[1])
  .filter((name) => name !== undefined)
  .sort();
/** Those that are programs of Node. */
const programs = { metadata: 'dist/test/fuzz/main.js', calls: 'dist/test/fuzz/calls-main.js' };
const all = [...native, ...Object.keys(programs)];
const targets = all.filter((name) => values.target === undefined || name === values.target);
if (targets.length === 0) fail(`--target: expected ${all.join(', ')}, found ${values.target}`);

function build(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (result.status === 0) return;
  process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`);
  fail(`failed: ${command} ${args.join(' ')}`);
}

const compiled = targets.filter((name) => native.includes(name));
if (compiled.length > 0) {
  mkdirSync(builds, { recursive: true });
  build('cmake', ['-S', '.', '-B', builds]);
  build('cmake', ['--build', builds, '-j', '2', '--target', ...compiled]);
}

/** Runs a target; resolves with its last line and whether it found nothing. */
function run(name) {
  const [command, ...program] = name in programs ? [process.execPath, programs[name]] : [join(builds, name)];
  const options = ['--seed', String(seed), '--seconds', String(seconds / targets.length), '--findings', findings];
  const child = spawn(command, [...program, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  const overdue = setTimeout(() => child.kill('SIGKILL'), (seconds / targets.length + GRACE_SECONDS) * 1000);
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  return new Promise((resolve) => {
    child.on('close', (status, signal) => {
      clearTimeout(overdue);
      const lines = output.trimEnd().split('\n');
      const well = status === 0;
      if (well) return resolve({ line: lines.at(-1), well });
      if (lines.length > 1) console.log(lines.slice(0, -1).join('\n'));
      if (signal === null && lines.at(-1) !== '') return resolve({ line: lines.at(-1), well });
      // These are their own processes; they write each input down before it runs.
      const current = join(findings, `${name}-${seed}.current.json`);
      if (existsSync(current)) console.log(`run it again: ${[command, ...program].join(' ')} --input ${current}`);
      resolve({ line: `${name}: ended by ${signal ?? `status ${status}`}, seed ${seed}, FINDING`, well });
    });
  });
}

const results = [];
for (const name of targets) results.push(await run(name));
console.log(results.map(({ line }) => line).join('\n'));
process.exit(results.every(({ well }) => well) ? 0 : 1);
