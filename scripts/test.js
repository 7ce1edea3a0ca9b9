// npm test: lint, the C++ unit tests under sanitizers, then jest. Ends with one line: N passed, N failed.
// Arguments are handed to jest: npm test -- dist/test/geometry
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(root);
const only = process.argv.slice(2);
let passed = 0;
let failed = 0;

function count(result) {
  if (result.status === 0) passed++;
  else failed++;
}

if (only.length === 0) {
  const biome = join('node_modules', '@biomejs', 'biome', 'bin', 'biome');
  count(spawnSync(process.execPath, [biome, 'check', '.'], { stdio: 'inherit' }));
  count(spawnSync(process.execPath, ['scripts/native-tests.js'], { stdio: 'inherit' }));
}

const report = 'build/jest.json';
mkdirSync('build', { recursive: true });
rmSync(report, { force: true });
const jest = join('node_modules', 'jest', 'bin', 'jest.js');
const workers = Math.max(1, availableParallelism() - 1);
spawnSync(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--no-warnings',
    jest,
    `--maxWorkers=${workers}`,
    '--json',
    `--outputFile=${report}`,
    ...only,
  ],
  { stdio: ['inherit', 'ignore', 'inherit'] },
);
try {
  const results = JSON.parse(readFileSync(report, 'utf8'));
  passed += results.numPassedTests;
  failed += results.numFailedTests + results.numRuntimeErrorTestSuites;
  if (results.numPendingTests > 0) console.log(`${results.numPendingTests} skipped`);
} catch {
  failed++;
  console.error('jest wrote no report');
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
