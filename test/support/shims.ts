import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Commands of a test's own in a folder that is all of PATH: name -> lines of sh. */
export function makeShims(folder: string, commands: Readonly<Record<string, string>>): string {
  mkdirSync(folder, { recursive: true });
  for (const [name, lines] of Object.entries(commands)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
  }
  return folder;
}

/** Prints a text, word for word. */
export const printing = (text: string) => `/bin/cat <<'END_OF_TEXT'\n${text}\nEND_OF_TEXT`;
