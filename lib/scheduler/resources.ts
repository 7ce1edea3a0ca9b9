import { BlockwrightError } from '../errors.js';

/** One named resource. */
export interface ResourceUse {
  readonly name: string;
  readonly capacity: number;
  readonly used: number;
}

/** Named resources that running blocks hold: how much there is, and how much each task's blocks take. */
export class Resources {
  private readonly names: readonly string[];
  private readonly capacities: readonly number[];
  private readonly used: number[];
  /** For each task pairs of resource and amount, one after the other. */
  private readonly needs: readonly (readonly number[])[];

  constructor(
    capacities: Readonly<Record<string, number>>,
    tasks: readonly { readonly name: string; readonly resources?: Readonly<Record<string, number>> | undefined }[],
  ) {
    this.names = Object.keys(capacities);
    this.capacities = this.names.map((name) => whole(`resources.${name}`, capacities[name]));
    this.used = this.names.map(() => 0);
    this.needs = tasks.map((task) =>
      Object.entries(task.resources ?? {}).flatMap(([name, amount]) => {
        const resource = this.names.indexOf(name);
        const need = whole(`task ${task.name}: resources.${name}`, amount);
        const capacity = resource < 0 ? 0 : this.capacities[resource];
        if (need > capacity) {
          const known = this.names.length === 0 ? 'none' : this.names.join(', ');
          const found = resource < 0 ? `no such resource (known: ${known})` : `${capacity}`;
          throw new BlockwrightError(
            'ERR_PLAN',
            `task ${task.name}: expected at least ${need} of resource ${name}, found ${found}`,
          );
        }
        return need === 0 ? [] : [resource, need];
      }),
    );
  }

  /** The first resource that a block of the task would have to wait for. */
  missing(task: number): string | undefined {
    const needs = this.needs[task];
    for (let i = 0; i < needs.length; i += 2) {
      if (this.used[needs[i]] + needs[i + 1] > this.capacities[needs[i]]) return this.names[needs[i]];
    }
    return undefined;
  }

  use(): ResourceUse[] {
    return this.names.map((name, i) => ({ name, capacity: this.capacities[i], used: this.used[i] }));
  }

  take(task: number): void {
    const needs = this.needs[task];
    for (let i = 0; i < needs.length; i += 2) this.used[needs[i]] += needs[i + 1];
  }

  giveBack(task: number): void {
    const needs = this.needs[task];
    for (let i = 0; i < needs.length; i += 2) this.used[needs[i]] -= needs[i + 1];
  }
}

function whole(parameter: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new BlockwrightError('ERR_PLAN', `${parameter}: expected a whole number of at least 0, found ${value}`);
  }
  return value;
}
