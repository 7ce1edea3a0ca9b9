import { spawn } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

export interface S3Keys {
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface S3Server {
  /** http://127.0.0.1:PORT, of the server that lets everyone in. */
  readonly open: string;
  /** The same behind a guard that lets in whose signature is right. */
  readonly guarded: string;
  readonly headers: IncomingHttpHeaders[];
  put(bucket: string, files: ReadonlyMap<string, Uint8Array>): Promise<void>;
  close(): Promise<void>;
}

/** An S3-compatible server (fauxqs, which looks at no signature) on the loopback, and a guard before it. */
export async function startS3(keys: S3Keys): Promise<S3Server> {
  const script = join(import.meta.dirname, 's3-process.js');
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const open = String((await once(child.stdout, 'data'))[0]);
  const headers: IncomingHttpHeaders[] = [];
  const guard = createServer((request, response) => {
    headers.push(request.headers);
    const { authorization } = request.headers;
    if (authorization === undefined || authorization !== signature(request, keys)) {
      const body = `<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>${keys.accessKeyId}</AWSAccessKeyId></Error>`;
      response.writeHead(403, { 'Content-Type': 'application/xml' }).end(body);
      return;
    }
    const { range } = request.headers;
    void fetch(open + request.url, { headers: range === undefined ? {} : { range } }).then(async (answer) => {
      response.writeHead(answer.status, [...answer.headers].flat()).end(Buffer.from(await answer.arrayBuffer()));
    });
  });
  await new Promise<void>((resolve) => guard.listen(0, '127.0.0.1', resolve));
  return {
    open,
    guarded: `http://127.0.0.1:${(guard.address() as AddressInfo).port}`,
    headers,
    async put(bucket, files) {
      await fetch(`${open}/${bucket}`, { method: 'PUT' });
      for (const [key, body] of files) {
        const path = key.split('/').map(encodeURIComponent).join('/');
        const answer = await fetch(`${open}/${bucket}/${path}`, { method: 'PUT', body: Buffer.from(body) });
        if (!answer.ok) throw new Error(`PUT ${key}: ${answer.status}`);
      }
    },
    async close() {
      await new Promise((resolve) => {
        guard.close(resolve);
        guard.closeAllConnections();
      });
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}

/** The Authorization header that a request must have, by the rules of AWS Signature Version 4, written from them. */
function signature({ method, url, headers }: IncomingMessage, keys: S3Keys): string | undefined {
  const signed = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '')?.[1];
  if (signed === undefined) return undefined;
  const needed = ['host', 'x-amz-content-sha256', 'x-amz-date', ...(keys.sessionToken ? ['x-amz-security-token'] : [])];
  if (!needed.every((name) => signed.split(';').includes(name))) return undefined;
  if (headers['x-amz-security-token'] !== keys.sessionToken) return undefined;
  const time = String(headers['x-amz-date']);
  const canonical = [
    method,
    url,
    '',
    ...signed.split(';').map((name) => `${name}:${String(headers[name]).trim()}`),
    '',
    signed,
    headers['x-amz-content-sha256'],
  ].join('\n');
  const scope = `${time.slice(0, 8)}/${keys.region}/s3/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', time, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const hmac = (key: string | Buffer, value: string) => createHmac('sha256', key).update(value).digest();
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${keys.secretAccessKey}`);
  const credential = `Credential=${keys.accessKeyId}/${scope}`;
  return `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${signed}, Signature=${hmac(key, text).toString('hex')}`;
}
