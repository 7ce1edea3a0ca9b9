import type { CallBack, CallBackAddress } from './call-back.js';
import type { Exchange } from './exchange.js';
import type { Section } from './site-check.js';

/** What a host tells the nodes, in a file of the folder of a visit. */
export interface VisitCard {
  readonly addresses: readonly CallBackAddress[];
}

/** What a node found. */
export interface NodeReport {
  readonly host: string;
  readonly node: string;
  /** Of the files that both sides wrote; text: why it failed. */
  readonly exchange: Exchange | string;
  readonly callBacks: readonly CallBack[];
  readonly sections: readonly Section[];
}

export const CARD = 'card.json';
export const TOKEN = 'token';
export const reportFile = (name: string) => `${name}.report`;

/** Seconds in which the other side's file must be seen. */
export const VISIBLE_SECONDS = 60;
