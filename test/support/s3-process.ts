/** An S3-compatible server on the loopback that ends with its stdin; prints its address. Apart, as jest takes long to load it. */
import { buildApp } from 'fauxqs';

const app = buildApp({ logger: false });
process.stdin.on('close', () => process.exit()).resume();
process.stdout.write(await app.listen({ port: 0, host: '127.0.0.1' }));
