/**
 * npm run chaos [-- --fault N... --seed S --short --save FILE]: the tests of every kind of fault, or of some, in their long form,
 * one kind after the other; one line each. With --save their rows are put into the table `## Results` of a page. The exit
 * status is 1 where one failed.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type FaultRow, type FaultTests, faultRows } from './rows.js';

interface Tally {
  passed: number;
  failed: number;
  /** What the tests say they did, e.g. how many kills hit. */
  readonly told: string[];
  readonly failures: string[];
}

/** What jest writes with `--json`, as far as it is read. */
interface Report {
  readonly numRuntimeErrorTestSuites: number;
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** The results are the last part of a page that is saved to. */
const HEADING = '## Results';
const COLUMNS = [
  '| # | fault | must hold | form, seed | result | seconds | not shown |',
  '|---|---|---|---|---|---|---|',
];

const root = join(import.meta.dirname, '..', '..', '..');
const values = given();
if (values.help) {
  console.log('npm run chaos [-- --fault N...] [--seed S] [--short] [--save FILE]');
  for (const { fault, what } of faultRows) console.log(`${String(fault).padStart(4)}  ${what}`);
  process.exit(0);
}
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
if (!Number.isSafeInteger(seed) || seed < 0) fail(`--seed: expected a whole number, found ${values.seed}`);
const numbers = faultRows.map(({ fault }) => String(fault));
const unknown = values.fault.find((fault) => !numbers.includes(fault));
if (unknown !== undefined) fail(`--fault: expected one of ${numbers.join(', ')}, found ${unknown}`);
const rows = faultRows.filter(({ fault }) => values.fault.length === 0 || values.fault.includes(String(fault)));
const form = values.short ? 'short' : 'long';

function given() {
  try {
    return parseArgs({
      options: {
        fault: { type: 'string', multiple: true, default: [] },
        seed: { type: 'string' },
        short: { type: 'boolean', default: false },
        save: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return fail((error as Error).message);
  }
}

function fail(message: string): never {
  console.error(`chaos: ${message}`);
  process.exit(2);
}

function run({ file, tests }: FaultTests, folder: string, tally: Tally): void {
  const report = join(folder, 'report.json');
  rmSync(report, { force: true });
  const jest = [join('node_modules', 'jest', 'bin', 'jest.js'), '--runInBand', '--json', `--outputFile=${report}`];
  const which = [`dist/test/${file}.test.js`, ...(tests === undefined ? [] : ['--testNamePattern', tests])];
  const { stderr } = spawnSync(process.execPath, ['--experimental-vm-modules', '--no-warnings', ...jest, ...which], {
    cwd: root,
    env: { ...process.env, CHAOS_SEED: String(seed), ...(values.short ? {} : { CHAOS: 'long' }) },
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  for (const [, line] of stderr.matchAll(/^\s+fault \d+: (.*)$/gm)) tally.told.push(line);
  let found: Report;
  try {
    found = JSON.parse(readFileSync(report, 'utf8')) as Report;
  } catch {
    tally.failed++;
    tally.failures.push(`${file}: jest wrote no report: ${stderr.slice(-1000)}`);
    return;
  }
  let any = 0;
  for (const { message, assertionResults } of found.testResults) {
    if (assertionResults.length === 0) tally.failures.push(`${file}: ${message}`);
    for (const { status, fullName, failureMessages } of assertionResults) {
      if (status === 'passed') any = ++tally.passed;
      if (status !== 'failed') continue;
      any = ++tally.failed;
      tally.failures.push(`${fullName}: ${failureMessages.join('\n')}`);
    }
  }
  tally.failed += found.numRuntimeErrorTestSuites;
  if (any === 0) {
    tally.failed++;
    tally.failures.push(`${file}: no test has a name like ${tests}`);
  }
}

const lines: string[] = [];
let failed = 0;
const folder = mkdtempSync(join(tmpdir(), 'blockwright-chaos-'));
console.log(`seed ${seed}, ${form} form`);
try {
  for (const row of rows) lines.push(record(row));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function record({ fault, what, passes, tests, missing }: FaultRow): string {
  const began = performance.now();
  const tally: Tally = { passed: 0, failed: 0, told: [], failures: [] };
  for (const one of tests) run(one, folder, tally);
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  failed += tally.failed;
  const result = `${tally.passed} passed, ${tally.failed} failed`;
  const told = tally.told.length === 0 ? '' : `; ${tally.told.join('; ')}`;
  console.log(`${String(fault).padStart(4)}  ${what}: ${result} in ${seconds} s${told}`);
  for (const failure of tally.failures) console.log(failure.replace(/^/gm, '        '));
  if (missing !== undefined) console.log(`        not shown: ${missing}`);
  return `| ${fault} | ${what} | ${passes} | ${form}, ${seed} | ${result}${told} | ${seconds} | ${missing ?? ''} |`;
}

if (values.save !== undefined) {
  const page = readFileSync(values.save, 'utf8');
  const [text, table = ''] = page.split(HEADING);
  const saved = new Map<number, string>();
  for (const line of [...table.split('\n'), ...lines]) {
    const number = /^\| (\d+) \|/.exec(line)?.[1];
    if (number !== undefined) saved.set(Number(number), line);
  }
  const sorted = [...saved].sort(([a], [b]) => a - b).map(([, line]) => line);
  writeFileSync(values.save, `${text}${HEADING}\n\n${[...COLUMNS, ...sorted].join('\n')}\n`);
}
console.log(`${rows.length} kinds of faults, ${failed} tests failed`);
process.exitCode = failed === 0 ? 0 : 1;
