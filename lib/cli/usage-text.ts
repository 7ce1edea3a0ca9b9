import yargs from 'yargs';
import { suggest } from '../pipeline/suggestion.js';
import type { AnyCommand } from './command.js';

/** What is wrong with a command line, in the words of whoever typed it. Texts of yargs that are not known stay as they are. */
export function usageText(text: string, argv: readonly string[], command: AnyCommand | undefined): string {
  const rules: readonly [RegExp, (...groups: string[]) => string][] = [
    [
      /^(?:Not enough|Too many) non-option arguments: got (\d+)/,
      () => `expected: blockwright ${command?.command ?? '<command>'}`,
    ],
    [/^Unknown arguments?: (.*)$/, (names) => unknownText(names.split(', '), argv, command)],
    [/^Unknown commands?: (.*)$/, (names) => `unexpected argument: ${names}`],
    [/^Did you mean (.*)\?$/, (near) => `unknown command: ${argv[0]} (did you mean ${near}?)`],
    [
      /^Invalid values:\s+Argument: (.*), Given: (.*), Choices: (.*)$/,
      (name, given, choices) => `--${name}: expected one of ${choices}, found ${given}`,
    ],
    [/^Missing required arguments?: (.*)$/, (names) => `expected, too: ${names.replaceAll(/[^, ]+/g, '--$&')}`],
    [/^Not enough arguments following: (.*)$/, (name) => `--${name}: a value is missing`],
    [
      /^Arguments (\S+) and (\S+) are mutually exclusive$/,
      (a, b) => `--${a}, --${b}: expected one of them, found both`,
    ],
    [/^\s*(?:Missing dependent arguments|Implications failed):\s+(\S+) -> (\S+)/, dependentText],
  ];
  for (const [pattern, write] of rules) {
    const found = pattern.exec(text);
    if (found !== null) return write(...found.slice(1));
  }
  return text;
}

function dependentText(name: string, other: string): string {
  return `--${name}: expected --${other}, too, found none`;
}

function unknownText(names: readonly string[], argv: readonly string[], command: AnyCommand | undefined): string {
  // yargs names an option twice, as it was typed and in camel case
  const typed = names.filter((name) => isOption(name, argv) || argv.includes(name));
  const known = command === undefined ? [] : optionsOf(command);
  return (typed.length > 0 ? typed : names)
    .map((name) => {
      if (!isOption(name, argv)) return `unexpected argument: ${name}`;
      const near = suggest(name, known);
      return `unknown option: --${name}${near === undefined ? '' : ` (did you mean --${near}?)`}`;
    })
    .join('\n');
}

function isOption(name: string, argv: readonly string[]): boolean {
  return argv.some(
    (one) => /^--?(?:no-)?/.test(one) && one.replace(/^--?(?:no-)?/, '').split('=')[0] === name && one !== name,
  );
}

/** Names of the options of a command, those of all commands with them. */
function optionsOf(command: AnyCommand): string[] {
  const parser = command.options(yargs().help(false).version(false)) as unknown as {
    getOptions(): { key: Readonly<Record<string, unknown>> };
  };
  return [...Object.keys(parser.getOptions().key), 'help', 'verbose'];
}
