import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { SiteReport } from '../../lib/site/site-check.js';
import { startProgramWith } from '../support/program.js';
import { Cluster, noCluster } from './cluster.js';

const reason = noCluster();
if (reason !== undefined) console.warn(`doctor --cluster on a SLURM cluster is left out: ${reason}`);

(reason === undefined ? test : test.skip)('doctor has a node of every partition look, and leaves no job', async () => {
  const cluster = await Cluster.start();
  const folder = mkdtempSync(join(tmpdir(), 'blockwright-doctor-'));
  try {
    const options = ['--cluster', '--partition', 'main', 'urgent', '--listen', '127.0.0.1', '--json'];
    const { status, out, error } = await startProgramWith(cluster.env, folder, 'doctor', ...options).ended;
    const { sections, facts } = JSON.parse(out) as SiteReport;
    const nodes = sections.filter(({ subject }) => subject.startsWith('node '));
    expect(nodes.map(({ subject }) => /partition (\w+)/.exec(subject)?.[1])).toEqual(['main', 'urgent']);
    const wrong = sections.flatMap(({ findings }) => findings).filter(({ verdict }) => verdict === 'wrong');
    expect({ status, wrong }).toEqual({ status: 0, wrong: [] });
    for (const { findings } of nodes) {
      for (const what of ['folder, both ways', 'connection to this host', "the node's clock"]) {
        expect(findings).toContainEqual(expect.objectContaining({ what, verdict: 'good' }));
      }
    }
    expect(facts.cluster).toMatchObject({ type: 'slurm', maxArraySize: 1001 });
    expect(facts.cluster?.partitions.map(({ name, nodes, cpus }) => [name, nodes, cpus])).toEqual([
      ['main', 3, 2],
      ['urgent', 3, 2],
    ]);
    expect(error).toMatch(/Job \d+ looks at a node of partition main/);
    expect(readdirSync(folder)).toEqual([]);
    expect(cluster.jobs()).toEqual([]);
  } finally {
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
