import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { messageOf } from '../errors.js';
import { callBack } from './call-back.js';
import { call, replace } from './exchange.js';
import { lookAtHost } from './site.js';
import { CARD, type NodeReport, reportFile, TOKEN, VISIBLE_SECONDS, type VisitCard } from './visit-files.js';

/** The life of a job that looks at a node: `folder` is that of the visit, in the folder that is looked at. */
export async function visitNode(folder: string, name: string): Promise<void> {
  const exchange = await call(folder, name, VISIBLE_SECONDS).catch(messageOf);
  const [card, token] = await Promise.all([
    readFile(join(folder, CARD), 'utf8'),
    readFile(join(folder, TOKEN), 'utf8'),
  ]);
  const { addresses } = JSON.parse(card) as VisitCard;
  const callBacks = await Promise.all(addresses.map((address) => callBack(address, token)));
  const { sections } = await lookAtHost(dirname(folder));
  const report: NodeReport = { host: hostname(), node: process.versions.node, exchange, callBacks, sections };
  await replace(join(folder, reportFile(name)), JSON.stringify(report));
}
