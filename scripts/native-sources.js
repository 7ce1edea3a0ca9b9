// Prints the C++ sources under a folder, one a line, sorted: binding.gyp takes its list from here so that
// a new kernel is one new file. The libtorch addon, the C++ unit tests and the fuzz targets are built by CMake, not by this list.
import { readdirSync } from 'node:fs';

const root = process.argv[2];
const elsewhere = ['torch', 'test', 'fuzz'];
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .map((name) => `${root}/${name.replaceAll('\\', '/')}`)
  .filter((path) => path.endsWith('.cc') && !elsewhere.some((folder) => path.startsWith(`${root}/${folder}/`)))
  .sort();
console.log(sources.join('\n'));
