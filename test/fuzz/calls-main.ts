// The fuzzer of native calls as a program, with the options and the last line of native/fuzz/fuzz.h. scripts/fuzz.js runs it, and
// calls.test.ts: a crash ends this process, not the one that looks on.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../../lib/errors.js';
import { CallFuzzer } from './call-fuzzer.js';

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: { seed: text, executions: text, seconds: text, first: text, findings: text, input: text },
});
const given = values.input === undefined ? undefined : (JSON.parse(readFileSync(values.input, 'utf8')) as Place);
const seed = given?.seed ?? Number(values.seed ?? 1);
const first = given?.number ?? Number(values.first ?? 0);
const executions = given === undefined ? Number(values.executions ?? Number.POSITIVE_INFINITY) : 1;
const seconds = Number(values.seconds ?? (Number.isFinite(executions) ? Number.POSITIVE_INFINITY : 5));
const findings = values.findings ?? join('build', 'fuzz');

interface Place {
  readonly seed: number;
  readonly number: number;
}

mkdirSync(findings, { recursive: true });
const current = join(findings, `calls-${seed}.current.json`);
const fuzzer = await CallFuzzer.create();
const outcomes: Record<string, number> = {};
const began = Date.now();
const elapsed = () => (Date.now() - began) / 1000;
let number = first;
let finding: string | undefined;
try {
  for (; number - first < executions && elapsed() < seconds; number++) {
    // On disk before it runs: what ends this process is then known.
    writeFileSync(current, JSON.stringify({ seed, number } satisfies Place));
    const { native, outcome } = await fuzzer.run(seed, number);
    const key = `${native} ${outcome}`;
    outcomes[key] = (outcomes[key] ?? 0) + 1;
  }
} catch (error) {
  finding = messageOf(error);
  console.error(`finding: ${finding}`);
  console.log(
    `make and run it again: node dist/test/fuzz/calls-main.js --seed ${seed} --first ${number} --executions 1`,
  );
} finally {
  fuzzer.remove();
}
if (finding === undefined) rmSync(current, { force: true });
const rate = Math.round((number - first) / Math.max(elapsed(), 1e-3));
console.log(JSON.stringify(outcomes));
console.log(
  `calls: ${number - first} executions in ${elapsed().toFixed(1)} s (${rate}/s), seed ${seed}${finding === undefined ? '' : ', FINDING'}`,
);
process.exitCode = finding === undefined ? 0 : 1;
