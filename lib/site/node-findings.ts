import { doubtful, type Finding, good, wrong } from './finding.js';
import type { NodeReport } from './visit-files.js';

/** Seconds after which seeing each other's files is slow. */
const SLOW = 5;
/** Milliseconds by which clocks may differ. */
const SKEW = 2_000;

/** What a node's report means for a coordinator on this host. What is good on the node itself is only counted. */
export function nodeFindings(report: NodeReport): Finding[] {
  const own = report.sections.flatMap(({ findings }) => findings);
  const told = own.filter(({ verdict, what }) => verdict === 'doubtful' || verdict === 'wrong' || /^GPU/.test(what));
  const goods = own.filter(({ verdict }) => verdict === 'good').length;
  return [
    exchangeFinding(report),
    connectionFinding(report),
    ...clockFinding(report),
    nodeFinding(report.node),
    good('checks on the node', `${goods} of the same as above are good there`),
    ...told,
  ];
}

function exchangeFinding({ exchange }: NodeReport): Finding {
  const what = 'folder, both ways';
  if (typeof exchange === 'string') {
    const advice = 'Take a folder on a file system that all nodes share; workers find the coordinator by files there';
    return wrong(what, exchange, advice);
  }
  const { first, replaced } = exchange;
  const found = `a new file and its answer take ${first.toFixed(2)} s, replaced ones ${replaced.toFixed(2)} s`;
  if (Math.max(first, replaced) <= SLOW) return good(what, found);
  return doubtful(
    what,
    found,
    'Runs work, but begin late; the time for which attributes are kept (acregmax, ...) is long',
  );
}

function connectionFinding({ callBacks }: NodeReport): Finding {
  const what = 'connection to this host';
  const text = callBacks
    .map(({ name, address, error }) => `${name} ${address}${error === undefined ? '' : `: ${error}`}`)
    .join('; ');
  const works = callBacks.filter(({ error }) => error === undefined);
  if (works.length === 0) {
    const advice =
      'Open the ports of this host for the nodes, or run the coordinator as a job; --listen names an interface';
    return wrong(what, text === '' ? 'this host has no address to connect to' : text, advice);
  }
  if (works.length === callBacks.length) return good(what, text);
  return good(what, `${text} (${works[0].name} works: let a coordinator listen there)`);
}

function clockFinding({ callBacks }: NodeReport): Finding[] {
  const what = "the node's clock";
  const found = callBacks.find(({ skew }) => skew !== undefined);
  if (found?.skew === undefined || found.roundTrip === undefined) return [];
  const off = Math.max(0, Math.abs(found.skew) - found.roundTrip / 2);
  if (off <= SKEW) return [good(what, `agrees with this host's to ${Math.ceil(off + found.roundTrip / 2)} ms`)];
  const text = `is ${(off / 1000).toFixed(1)} s ${found.skew > 0 ? 'ahead of' : 'behind'} this host's`;
  return [doubtful(what, text, 'Set the clocks (NTP). Runs do not depend on it, but times in logs cannot be compared')];
}

function nodeFinding(version: string): Finding {
  if (version === process.versions.node) return good('node there', version);
  return doubtful('node there', `${version}, here ${process.versions.node}`, 'Use one version of Node on all hosts');
}
