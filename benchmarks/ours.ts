// A process that is our side of one case: node ours.js BENCHMARK SETTINGS_JSON
import type { MakeOurSide } from './benchmark.js';
import { serve } from './side.js';

const [name, settings] = process.argv.slice(2);
const { ours } = (await import(`./${name}.js`)) as { ours: MakeOurSide };
await serve(await ours(JSON.parse(settings)));
