import { loadavg } from 'node:os';
import type { Benchmark } from './benchmark.js';
import { commit, isSameMachine, referenceVersions, thisMachine } from './machine.js';
import type { EnvironmentName } from './reference.js';
import { cpuSeconds, machineCpuSeconds } from './resources.js';
import type { Row } from './row.js';
import { type Measurement, mergeResults, readResults, writeResults } from './saved-results.js';

/** Cores that may be busy with other work before a measurement says so. */
const QUIET = 0.1;

/** Saves the rows of one benchmark as they come, so that what was measured stays when the rest is interrupted. */
export class RowSaver {
  private readonly machine = thisMachine();
  private readonly commit = commit();
  private readonly begun = new Date().toISOString();
  private readonly began = performance.now();
  private readonly load = loadavg()[0];
  private readonly cpu = cpuSeconds();
  private readonly machineCpu = machineCpuSeconds();
  private readonly references: Record<string, Readonly<Record<string, string>>> = {};
  private readonly rows: Row[] = [];

  constructor(
    private readonly folder: string,
    private readonly benchmark: Pick<Benchmark, 'name' | 'description'>,
    private readonly options: { readonly repetitions: number; readonly threads: number; readonly smoke: boolean },
  ) {}

  add(row: Row): void {
    this.rows.push(row);
    const { environment } = row;
    if (row.reference !== null) this.references[environment] ??= referenceVersions(environment as EnvironmentName);
    const { name, description } = this.benchmark;
    const merged = mergeResults(readResults(this.folder, name), description, this.measurement(), this.rows);
    writeResults(this.folder, merged);
  }

  /** What a person should know of the figures that were saved. */
  notes(): readonly string[] {
    const saved = readResults(this.folder, this.benchmark.name)?.measurements ?? [];
    const elsewhere = saved.some(({ machine }) => !isSameMachine(machine, this.machine));
    return [...this.measurement().notes, ...(elsewhere ? ['rows that were kept are from another machine'] : [])];
  }

  private measurement(): Measurement {
    const { smoke, repetitions, threads } = this.options;
    const seconds = (performance.now() - this.began) / 1000;
    const machineCpu = machineCpuSeconds();
    // by now all sides have ended, so that their time is in ours
    const otherCores =
      machineCpu === null || this.machineCpu === null
        ? null
        : Math.max(0, (machineCpu - this.machineCpu - (cpuSeconds() - this.cpu)) / seconds);
    const notes = [
      smoke ? 'tiny inputs, which say nothing about speed' : '',
      otherCores !== null && otherCores > QUIET ? `other work kept ${otherCores.toFixed(1)} cores busy` : '',
      this.commit?.changed === true ? 'the sources were not those of the commit' : '',
    ].filter((note) => note !== '');
    return {
      begun: this.begun,
      ended: new Date().toISOString(),
      machine: this.machine,
      references: this.references,
      load: { begin: this.load, end: loadavg()[0] },
      otherCores,
      commit: this.commit?.name ?? null,
      repetitions,
      threads,
      notes,
    };
  }
}
