import { firstWords } from './answer-text.js';
import { absent, doubtful, good } from './finding.js';
import type { SiteCheck } from './site-check.js';
import type { Gpu } from './site-facts.js';

const QUERY = ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader,nounits'];

/** GPUs that nvidia-smi tells of. The built-in tasks need none. */
export const gpuCheck: SiteCheck = {
  subject: 'GPUs',
  look: async ({ ask }) => {
    const what = 'nvidia-smi';
    const { outcome, out, error } = await ask('nvidia-smi', ...QUERY);
    if (outcome === 'missing') return { findings: [absent(what, 'not found; no task needs a GPU')] };
    if (outcome !== 'answered') {
      const said = firstWords(error.startsWith('ended with') ? out || error : error);
      return { findings: [doubtful(what, said, 'Run nvidia-smi yourself; tasks without GPUs are not concerned')] };
    }
    const gpus = parseGpus(out);
    if (gpus === undefined) {
      const advice = 'Run nvidia-smi yourself: lines of name, driver and memory were expected';
      return { findings: [doubtful(what, `an answer that is not understood: ${firstWords(out)}`, advice)] };
    }
    if (gpus.length === 0) return { findings: [absent(what, 'tells of no GPU')] };
    const findings = gpus.map(({ name, driver, memory }, i) =>
      good(`GPU ${i}`, `${name}, ${memory} MiB, driver ${driver}`),
    );
    return { findings, facts: { gpus } };
  },
};

/** The answer to the query, one GPU a line; undefined when it is none. */
export function parseGpus(text: string): Gpu[] | undefined {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const gpus = lines.map((line) => line.split(',').map((cell) => cell.trim()));
  // of a device that is a part of another, or that is lost, the memory is '[N/A]'
  if (!gpus.every((cells) => cells.length === 3 && /^(\d+|\[.+\])$/.test(cells[2]))) return undefined;
  return gpus.map(([name, driver, memory]) => ({ name, driver, memory: Number.parseInt(memory, 10) || 0 }));
}
