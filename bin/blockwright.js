#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const entry = new URL('../dist/lib/cli/main.js', import.meta.url);
if (existsSync(entry)) {
  const { main } = await import(entry.href);
  process.exitCode = await main(process.argv.slice(2));
} else {
  const setup = fileURLToPath(new URL('../scripts/setup.js', import.meta.url));
  console.error(`blockwright: not built yet (${fileURLToPath(entry)} is missing). Build it with: node ${setup}`);
  process.exitCode = 2;
}
