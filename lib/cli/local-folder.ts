import { resolve } from 'node:path';
import { BlockwrightError } from '../errors.js';
import { isAddress, parseAddress } from '../storage/address.js';

/** The folder that a command was given, absolute. An address is none: what only looks into folders says so. */
export function localFolder(command: string, path: string): string {
  if (!isAddress(path)) return resolve(path);
  const { text } = parseAddress(path);
  throw new BlockwrightError(
    'ERR_UNSUPPORTED',
    `${text}: ${command} looks into local folders alone; copy and pipelines read remote stores`,
    { path: text },
  );
}
