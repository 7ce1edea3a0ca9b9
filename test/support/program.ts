import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

export const PROGRAM = join(import.meta.dirname, '..', '..', '..', 'bin', 'blockwright.js');

export interface Outcome {
  readonly status: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly error: string;
}

/** A started command line, with what it has said so far. */
export interface Program {
  readonly process: ChildProcess;
  /** Resolves when the text has come on either stream; rejects when the program ends without it. */
  says(text: string): Promise<void>;
  readonly ended: Promise<Outcome>;
}

/** Starts the command line as a user would. */
export function startProgram(folder: string, ...args: string[]): Program {
  return startProgramWith({}, folder, ...args);
}

/** The same with variables of its environment set. */
export function startProgramWith(env: Readonly<Record<string, string>>, folder: string, ...args: string[]): Program {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: folder,
    env: { ...process.env, BLOCKWRIGHT_DEBUG: '', NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let error = '';
  let waiting: (() => void)[] = [];
  const wake = () => {
    for (const one of waiting.splice(0)) one();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    wake();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    error += text;
    wake();
  });
  let over = false;
  const ended = new Promise<Outcome>((resolve) => {
    child.on('close', (status, signal) => {
      over = true;
      wake();
      resolve({ status, signal, out, error });
    });
  });
  const says = async (text: string) => {
    while (!`${out}\n${error}`.includes(text)) {
      if (over) throw new Error(`the program ended without saying '${text}':\n${out}\n${error}`);
      await new Promise<void>((resolve) => {
        waiting = [...waiting, resolve];
      });
    }
  };
  return { process: child, says, ended };
}

/** Runs the command line to its end. */
export function runProgram(folder: string, ...args: string[]): Promise<Outcome> {
  return startProgram(folder, ...args).ended;
}
