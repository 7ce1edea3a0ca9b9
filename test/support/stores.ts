import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WRITER_FILE } from '../../lib/storage/stored-files.js';
import { goldens } from './goldens.js';

/** A new folder for one test file; remove it with the function. */
export function temporaryFolder(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'blockwright-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Unpacks the golden stores (good/, damaged/, expected/) into a folder. */
export function unpackStores(folder: string): void {
  execFileSync('tar', ['-xzf', join(goldens, 'storage', 'stores.tar.gz'), '-C', folder]);
}

/** Paths of all files below a folder, sorted, with their content; without the notes of the runs that wrote them, which name the runs. */
export function filesBelow(folder: string): Map<string, Buffer> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.name !== WRITER_FILE,
  );
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).sort();
  return new Map(paths.map((path) => [path.slice(folder.length + 1), readFileSync(path)]));
}
