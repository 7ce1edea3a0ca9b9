// Prints the C++ sources under a folder, one a line, sorted: binding.gyp takes its list from here so that
// a new kernel is one new file. The libtorch addon and the C++ unit tests are built by CMake, not by this list.
import { readdirSync } from 'node:fs';

const root = process.argv[2];
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .map((name) => `${root}/${name.replaceAll('\\', '/')}`)
  .filter((path) => path.endsWith('.cc') && !path.startsWith(`${root}/torch/`) && !path.startsWith(`${root}/test/`))
  .sort();
console.log(sources.join('\n'));
