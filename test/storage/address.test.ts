import { expect, test } from '@jest/globals';
import { isAddress, parseAddress } from '../../lib/storage/address.js';

test.each([
  ['https://host/a/b.zarr', true],
  ['HTTP://host', true],
  ['s3://bucket/key', true],
  ['ftp://host/a', true],
  ['/data/a', false],
  ['a/b:c', false],
  ['a://', false],
  ['C:/data', false],
])('%s is an address: %s', (store, expected) => expect(isAddress(store)).toBe(expected));

test.each([
  ['https://Host:443/a/./b/../c.zarr//', 'https://host', 'https://host/a/c.zarr'],
  ['http://host:8080/a b/ä', 'http://host:8080', 'http://host:8080/a%20b/%C3%A4'],
  ['http://host', 'http://host', 'http://host'],
  ['s3://my.bucket/a b/%41?#/', 's3://my.bucket', 's3://my.bucket/a b/%41?#'],
  ['S3://bucket', 's3://bucket', 's3://bucket'],
])('%s', (address, root, text) => expect(parseAddress(address)).toMatchObject({ root, text }));

test.each([
  ['https://me:secret@host/a', 'ERR_ARGUMENT', 'user or password'],
  ['https://me@host/a', 'ERR_ARGUMENT', 'user or password'],
  ['s3://KEY:secret@bucket/a', 'ERR_ARGUMENT', 'user or password'],
  ['https://host/a?token=secret', 'ERR_ARGUMENT', 'query'],
  ['https://host/a#secret', 'ERR_ARGUMENT', 'fragment'],
  ['https:///me:secret@host/a', 'ERR_ARGUMENT', 'no URL'],
  ['https://me:secret/secret@host/a', 'ERR_ARGUMENT', 'no URL'],
  ['http://[secret/a', 'ERR_ARGUMENT', 'no URL'],
  ['s3:///a', 'ERR_ARGUMENT', 's3://bucket/key'],
  ['s3://bucket/a/../b', 'ERR_ARGUMENT', "'..'"],
  ['ftp://me:secret@host/a', 'ERR_UNSUPPORTED', 's3://'],
  ['gs://bucket/a', 'ERR_UNSUPPORTED', 's3://'],
])('%s is refused', (address, code, text) => {
  let thrown: unknown;
  try {
    parseAddress(address);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ code, message: expect.stringContaining(text) });
  if (!address.includes('[')) expect(JSON.stringify(thrown) + String(thrown)).not.toContain('secret');
});
