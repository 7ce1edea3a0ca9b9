import { hostname } from 'node:os';
import { stringify } from 'yaml';
import type { SiteFacts } from './site-facts.js';

/**
 * What a site is, for a file: `executor` holds keys that a pipeline's `executor` takes; the rest says what they were chosen from.
 */
export function siteProfile(facts: SiteFacts, now = new Date()) {
  const { cluster, listen, folder, processors, memory, gpus = [] } = facts;
  return {
    madeBy: `blockwright doctor on ${hostname()}, ${now.toISOString()}`,
    executor: executorOf(facts),
    host: { processors, memory, gpus, ...(listen === undefined ? {} : { interface: listen }) },
    ...(folder === undefined ? {} : { folder }),
    ...(cluster === undefined ? {} : { cluster }),
  };
}

/** Keys of the pipeline's schema alone; how many workers there shall be on a cluster only its user can say. */
function executorOf({ cluster, listen, processors }: SiteFacts) {
  if (cluster === undefined) return { type: 'local', ...(processors === undefined ? {} : { workers: processors }) };
  const usable = cluster.partitions.filter(({ isUp }) => isUp);
  const chosen = usable.find(({ isDefault }) => isDefault) ?? usable[0];
  return {
    type: cluster.type,
    ...(chosen === undefined ? {} : { [cluster.type === 'lsf' ? 'queue' : 'partition']: chosen.name }),
    ...(listen === undefined ? {} : { listen: { interface: listen.name } }),
  };
}

/** As YAML, or as JSON where the file's name says so. */
export function profileText(facts: SiteFacts, file: string): string {
  const profile = JSON.parse(JSON.stringify(siteProfile(facts))) as object;
  return file.endsWith('.json') ? `${JSON.stringify(profile, undefined, 2)}\n` : stringify(profile, { lineWidth: 0 });
}
