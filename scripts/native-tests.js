// Builds the C++ unit tests under sanitizers (build/native-tests) and runs them. Prints one line, and what failed.
// BLOCKWRIGHT_SANITIZE=OFF builds them without sanitizers, THREAD with the one for threads (build/native-tests-thread): some ten
// times slower, for when code that runs on several threads was changed.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(join(dirname(fileURLToPath(import.meta.url)), '..'));
const sanitize = process.env.BLOCKWRIGHT_SANITIZE ?? 'ON';
const folder = sanitize === 'THREAD' ? 'build/native-tests-thread' : 'build/native-tests';
const began = Date.now();

/** Runs a command; where it fails, shows its output and ends. Returns what it printed. */
function run(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (result.status !== 0) {
    process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`);
    console.log(
      `native tests: failed: ${command} ${args.join(' ')} (${result.error?.message ?? `status ${result.status ?? result.signal}`})`,
    );
    process.exit(1);
  }
  return result.stdout;
}

mkdirSync(folder, { recursive: true });
run('cmake', ['-S', '.', '-B', folder, `-DBLOCKWRIGHT_SANITIZE=${sanitize}`]);
run('cmake', ['--build', folder, '-j', '2']);
const output = run('ctest', ['--test-dir', folder, '--output-on-failure', '--no-tests=error', '--timeout', '300']);
const summary = /(\d+)% tests passed, (\d+) tests failed out of (\d+)/.exec(output);
console.log(
  `native tests: ${Number(summary[3]) - Number(summary[2])} of ${summary[3]} programs passed in ${((Date.now() - began) / 1000).toFixed(1)} s`,
);
