import { messageOf } from '../errors.js';
import { isAddress, parseAddress } from '../storage/address.js';
import { valueAt } from './issues.js';
import type { KeyPath } from './problem.js';

/** Only arrays can have addresses of remote stores, and only such as can be read and hold no secret. */
export function checkAddresses(config: unknown, add: (path: KeyPath, text: string) => void): void {
  for (const [name, value] of entriesAt(config, 'arrays')) {
    const store = valueAt(value, ['store']);
    if (typeof store !== 'string' || !isAddress(store)) continue;
    try {
      parseAddress(store);
    } catch (error) {
      add(['arrays', name, 'store'], messageOf(error));
    }
  }
  const local: [KeyPath, unknown][] = [
    [['runDirectory'], valueAt(config, ['runDirectory'])],
    ...entriesAt(config, 'graphs').map(([name, value]): [KeyPath, unknown] => [
      ['graphs', name, 'path'],
      valueAt(value, ['path']),
    ]),
  ];
  for (const [path, value] of local) {
    if (typeof value === 'string' && isAddress(value)) add(path, 'expected a local path, found an address');
  }
}

function entriesAt(config: unknown, key: string): [string, unknown][] {
  const value = valueAt(config, [key]);
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}
