// A process that is our side of one case: node ours.js BENCHMARK SETTINGS_JSON
import { loadAddon } from '../lib/native/addon.js';
import type { MakeOurSide } from './benchmark.js';
import { serve } from './side.js';

// Loading code is no part of a run, here as in the reference, which has imported its modules.
loadAddon();
const [name, settings] = process.argv.slice(2);
const { ours } = (await import(`./${name}.js`)) as { ours: MakeOurSide };
await serve(await ours(JSON.parse(settings)));
