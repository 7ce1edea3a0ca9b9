import { BlockwrightError } from '../errors.js';

const SCHEME = /^([a-z][a-z0-9+.-]+):\/\//i;

/** The address of a folder in a remote store. */
export interface Address {
  readonly scheme: 'http' | 'https' | 's3';
  /** Scheme and host or bucket, e.g. 'https://host:8080', 's3://bucket': nothing above it is asked for. */
  readonly root: string;
  /** The whole of it, without a slash at the end: `root`, then '/' and a path where there is one. */
  readonly text: string;
}

/** Whether a store is named by an address, such as https://..., and not by a path. */
export function isAddress(store: string): boolean {
  return SCHEME.test(store);
}

/** An address as a message may show it: never with what could be a credential. */
function shown(address: string): string {
  return address.replace(/:\/\/.*@/s, '://').replace(/[?#].*$/s, '');
}

function wrong(address: string, expected: string): BlockwrightError {
  return new BlockwrightError('ERR_ARGUMENT', `${shown(address)}: ${expected}`, { path: shown(address) });
}

/**
 * Reads an address. Users and queries are refused: an address stands in configs and logs, where no secret should be.
 *
 * @throws ERR_ARGUMENT; ERR_UNSUPPORTED for another scheme
 */
export function parseAddress(address: string): Address {
  const scheme = SCHEME.exec(address)?.[1].toLowerCase();
  if (scheme !== 'http' && scheme !== 'https' && scheme !== 's3') {
    const message = `${shown(address)}: expected a local folder or an address that begins with https://, http:// or s3://`;
    throw new BlockwrightError('ERR_UNSUPPORTED', message, { path: shown(address) });
  }
  if (/^[^/]*:\/\/[^/?#]*@/.test(address)) {
    throw wrong(address, 'an address must not hold a user or password (for s3:// they come from the environment)');
  }
  return scheme === 's3' ? parseBucket(address) : parseUrl(address, scheme);
}

function parseUrl(address: string, scheme: 'http' | 'https'): Address {
  if (!URL.canParse(address) || /^[^/]*:\/\/\//.test(address)) throw wrong(address, 'this is no URL');
  const url = new URL(address);
  if (/[?#]/.test(address)) throw wrong(address, 'an address must not hold a query (?...) or fragment (#...)');
  return { scheme, root: url.origin, text: url.origin + url.pathname.replace(/\/+$/, '') };
}

/** Keys of S3 are taken as they are: nothing in them is an escape. */
function parseBucket(address: string): Address {
  const [, bucket, key] = /^s3:\/\/([^/]*)(.*)$/is.exec(address) as RegExpExecArray;
  if (!/^[a-z0-9][a-z0-9.-]+$/.test(bucket)) throw wrong(address, 'expected s3://bucket/key');
  if (key.split('/').some((part) => part === '.' || part === '..')) throw wrong(address, "a key with '.' or '..'");
  const root = `s3://${bucket}`;
  return { scheme: 's3', root, text: root + key.replace(/\/+$/, '') };
}
