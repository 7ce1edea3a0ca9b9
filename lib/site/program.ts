import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import Database from 'better-sqlite3';
import { messageOf } from '../errors.js';
import { loadAddon } from '../native/addon.js';
import { type Finding, good, wrong } from './finding.js';
import type { SiteCheck } from './site-check.js';

const root = join(import.meta.dirname, '..', '..', '..');
/** As `engines` of package.json says. */
const OLDEST_NODE = [20, 19];

/** Node, the addon of kernels, SQLite. */
export const programCheck: SiteCheck = {
  subject: 'program',
  look: async () => ({ findings: [nodeFinding(process.versions.node), addonFinding(), sqliteFinding()] }),
};

export function nodeFinding(version: string): Finding {
  const [major, minor] = version.split('.').map(Number);
  const enough = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  const found = `${version}, ${process.arch}`;
  if (enough) return good('node', found);
  return wrong('node', `${found}; expected ${OLDEST_NODE.join('.')} or later`, 'Install a newer Node and use that one');
}

function addonFinding(): Finding {
  try {
    const kernels = Object.keys(loadAddon()).length;
    const { path } = createRequire(import.meta.url)('node-gyp-build') as { path(root: string): string };
    const file = relative(root, path(root));
    const how = file.startsWith('prebuilds') ? 'prebuilt' : 'built on this machine or one like it';
    return good('kernels addon', `loads, ${how} (${file}), ${kernels} functions`);
  } catch (error) {
    return wrong('kernels addon', messageOf(error), 'Build it: npm run build:native');
  }
}

function sqliteFinding(): Finding {
  try {
    const database = new Database(':memory:');
    const version = database.prepare('select sqlite_version()').pluck().get();
    database.close();
    return good('better-sqlite3', `loads, SQLite ${String(version)}`);
  } catch (error) {
    return wrong('better-sqlite3', messageOf(error).split('\n', 1)[0], 'Install it again: npm rebuild better-sqlite3');
  }
}
