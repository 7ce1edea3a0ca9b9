import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../../lib/cli/main.js';
import { pluginPath } from './plugins.js';
import { type Outcome, type Program, runProgram, startProgram } from './program.js';

/** A folder with a pipeline of toy tasks, and the command line in it. */
export class ToyPipeline {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'blockwright-cli-')));

  /** Writes p.yaml with these tasks. */
  write(tasks: string, plugins = ['toy-fill', 'toy-copy']): void {
    const text = `name: toy
plugins: [${plugins.map((name) => `'${pluginPath(name)}'`).join(', ')}]
arrays:
  a: {store: d.zarr/a}
  b: {store: d.zarr/b}
executor: {type: local, workers: 2}
tasks:
${tasks}`;
    writeFileSync(join(this.folder, 'p.yaml'), text);
  }

  /** Adds an array to p.yaml. */
  addArray(name: string): void {
    const file = join(this.folder, 'p.yaml');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('arrays:\n', `arrays:\n  ${name}: {store: d.zarr/${name}}\n`));
  }

  start(...args: string[]): Program {
    return startProgram(this.folder, ...args);
  }

  run(...args: string[]): Promise<Outcome> {
    return runProgram(this.folder, ...args);
  }

  /** The command line in this process, which is faster. FOLDER stands for the folder, before and after. */
  async inProcess(...args: string[]): Promise<{ status: number; out: string; error: string }> {
    let out = '';
    let error = '';
    const status = await main(
      args.map((one) => one.replace('FOLDER', this.folder)),
      {
        out: (text) => {
          out += `${text}\n`;
        },
        error: (text) => {
          error += `${text}\n`;
        },
        progress: { write: () => undefined },
      },
    );
    return { status, out: this.local(out), error: this.local(error) };
  }

  /** A text with FOLDER for the folder. */
  local(text: string): string {
    return text.replaceAll(this.folder, 'FOLDER');
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export const fillTask = (more = '') =>
  `  fill: {type: toy-fill, output: a, shape: [40, 30], blockSize: [10, 10]${more}}\n`;
export const copyTask = '  copy: {type: toy-copy, input: a, output: b, blockSize: [20, 10]}\n';
