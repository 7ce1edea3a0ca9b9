import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Commands that stand before the machine's own in PATH. */
export interface Shims {
  /** The PATH with the shims first. */
  readonly path: string;
  /**
   * A command: lines of shell, with `$n` as the number of its call, from 1. Unless they exit, the real command follows, with the
   * same arguments and input.
   */
  write(command: string, lines: readonly string[]): void;
  /** How often it was called. */
  calls(command: string): number;
}

export function shimFolder(parent: string): Shims {
  const folder = join(parent, 'shims');
  mkdirSync(folder);
  const counter = (command: string) => join(folder, `${command}.calls`);
  return {
    path: `${folder}:${process.env.PATH}`,
    write(command, lines) {
      const count = [`echo >> '${counter(command)}'`, `n=$(wc -l < '${counter(command)}')`];
      const text = ['#!/bin/bash', ...count, ...lines, `exec ${realCommand(command)} "$@"`, ''].join('\n');
      writeFileSync(join(folder, command), text, { mode: 0o755 });
    },
    calls(command) {
      return existsSync(counter(command)) ? readFileSync(counter(command), 'utf8').length : 0;
    },
  };
}

/** Path of a command of this machine. */
export function realCommand(command: string): string {
  return spawnSync('sh', ['-c', `command -v ${command}`], { encoding: 'utf8' }).stdout.trim();
}
