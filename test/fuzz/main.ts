// The metadata fuzzer as a program, with the options and the last line of native/fuzz/fuzz.h. scripts/fuzz.js runs it.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../../lib/errors.js';
import { type MetadataCase, MetadataFuzzer } from './metadata-fuzzer.js';

/** Far above what any metadata needs on a busy machine. */
const MAX_MILLISECONDS = 20_000;
const MAX_RESIDENT_KILOBYTES = 1.5 * 2 ** 20;

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: { seed: text, executions: text, seconds: text, first: text, findings: text, input: text },
});
const seed = Number(values.seed ?? 1);
const first = Number(values.first ?? 0);
const executions = Number(values.executions ?? Number.POSITIVE_INFINITY);
const seconds = Number(values.seconds ?? (values.executions === undefined ? 5 : Number.POSITIVE_INFINITY));
const findings = values.findings ?? join('build', 'fuzz');
const program = 'node dist/test/fuzz/main.js';

const fuzzer = await MetadataFuzzer.create();
let finding: string | undefined;

async function runTimed(one: MetadataCase): Promise<void> {
  const began = Date.now();
  await fuzzer.run(one);
  const milliseconds = Date.now() - began;
  if (milliseconds > MAX_MILLISECONDS) throw new Error(`took ${milliseconds} ms`);
  const resident = process.resourceUsage().maxRSS;
  if (resident > MAX_RESIDENT_KILOBYTES) throw new Error(`${resident} kB of memory`);
}

try {
  if (values.input !== undefined) {
    try {
      await runTimed(JSON.parse(readFileSync(values.input, 'utf8')) as MetadataCase);
      console.log(`${values.input}: no finding`);
    } catch (error) {
      finding = messageOf(error);
      console.error(`finding: ${finding}`);
    }
  } else {
    const began = Date.now();
    const elapsed = () => (Date.now() - began) / 1000;
    mkdirSync(findings, { recursive: true });
    const current = join(findings, `metadata-${seed}.current.json`);
    let number = first;
    for (; number - first < executions && elapsed() < seconds && finding === undefined; number += 1) {
      const one = fuzzer.make(seed, number);
      // On disk before it runs: what ends this process, or never ends, is then known.
      writeFileSync(current, JSON.stringify({ ...one, number }));
      try {
        await runTimed(one);
      } catch (error) {
        finding = messageOf(error);
        console.error(`finding: ${finding}`);
        console.log(`metadata: the input that failed: ${current}\nrun it again: ${program} --input ${current}`);
        console.log(`make and run it again: ${program} --seed ${seed} --first ${number} --executions 1`);
      }
    }
    const done = number - first;
    const rate = Math.round(done / Math.max(elapsed(), 1e-3));
    if (finding === undefined) rmSync(current, { force: true });
    const end = finding === undefined ? '' : ', FINDING';
    console.log(`metadata: ${done} executions in ${elapsed().toFixed(1)} s (${rate}/s), seed ${seed}${end}`);
  }
} finally {
  fuzzer.remove();
}
process.exitCode = finding === undefined ? 0 : 1;
