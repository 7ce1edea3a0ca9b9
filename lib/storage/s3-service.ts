import { AwsClient } from 'aws4fetch';
import { BlockwrightError } from '../errors.js';
import type { Address } from './address.js';
import type { HttpService } from './http-client.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where the buckets are: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, or Amazon's in AWS_REGION. */
function endpointOf(environment: Environment, region: string): string {
  const name = environment.AWS_ENDPOINT_URL_S3 ? 'AWS_ENDPOINT_URL_S3' : 'AWS_ENDPOINT_URL';
  const endpoint = environment[name] || `https://s3.${region}.amazonaws.com`;
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    // The value is not told: it may hold a secret.
    throw new BlockwrightError('ERR_ARGUMENT', `${name} or AWS_REGION: expected the URL of a server, https://host`);
  }
  return url.href.replace(/\/+$/, '');
}

function regionOf(environment: Environment): string {
  return environment.AWS_REGION || environment.AWS_DEFAULT_REGION || 'us-east-1';
}

/** The URL of a bucket, with its name in the path, as all S3-compatible servers understand it. */
export function bucketUrl({ root }: Address, environment: Environment): string {
  return `${endpointOf(environment, regionOf(environment))}/${root.slice('s3://'.length)}`;
}

/**
 * A server of S3's interface. Requests are signed where the environment has keys (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
 * AWS_SESSION_TOKEN), else anonymous. Errors tell nothing of them.
 */
export function s3Service(environment: Environment): HttpService {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment;
  const sessionToken = environment.AWS_SESSION_TOKEN || undefined;
  const region = regionOf(environment);
  const signer =
    accessKeyId && secretAccessKey
      ? new AwsClient({ accessKeyId, secretAccessKey, region, service: 's3', ...(sessionToken && { sessionToken }) })
      : undefined;
  return {
    prepare: async (request) => {
      try {
        return (await signer?.sign(request)) ?? request;
      } catch {
        // Not with the cause, which may quote them.
        throw new BlockwrightError(
          'ERR_ARGUMENT',
          'AWS_ACCESS_KEY_ID, AWS_SESSION_TOKEN: they cannot stand in a header',
        );
      }
    },
    // A signature is good for one host.
    redirect: 'manual',
    reasonOf: (headers, body) => {
      const code = /<Code>([A-Za-z0-9.]{1,64})<\/Code>/.exec(body)?.[1];
      const elsewhere = headers.get('x-amz-bucket-region');
      if (elsewhere === null || elsewhere === region) return code;
      return [code, `the bucket lies in ${elsewhere}, set AWS_REGION`].filter(Boolean).join('; ');
    },
    // A bucket that is not there would read as missing chunks.
    meansMissing: (reason) => reason === undefined || reason === 'NoSuchKey',
  };
}
