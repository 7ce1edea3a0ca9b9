import { parentPort, workerData } from 'node:worker_threads';
import { codeOf, isBlockwrightError, messageOf } from '../errors.js';
import type { GraphMessage } from './graph-messages.js';
import { serveGraphRequest } from './graph-requests.js';
import type { FromGraphThread, ToGraphThread } from './graph-thread.js';
import { SqliteGraphStore } from './sqlite-graph-store.js';

/*
 * The thread of a ThreadedGraphStore. While a commit waits for the disk, requests queue up; they are all taken in one
 * turn afterwards, so writes of many workers share the next commit.
 */
const { path } = workerData as { path: string };
const port = parentPort!;
const store = new SqliteGraphStore(path);
const answers = new Map<number, AsyncGenerator<GraphMessage>>();
const running = new Set<Promise<void>>();

function say(message: FromGraphThread, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

async function advance(id: number, answer: AsyncGenerator<GraphMessage>): Promise<void> {
  try {
    const piece = await answer.next();
    if (piece.done !== true) {
      const { header, payload } = piece.value;
      say({ id, header, payload }, payload.byteLength > 0 ? [payload.buffer as ArrayBuffer] : []);
      return;
    }
    say({ id, end: true });
  } catch (error) {
    const code = codeOf(error);
    const details = isBlockwrightError(error) && 'details' in error ? error.details : {};
    say({ id, error: { code, message: messageOf(error), details } });
  }
  answers.delete(id);
}

/** Keeps track of what is on its way to an answer. */
function begin(work: Promise<void>): void {
  running.add(work);
  void work.then(() => running.delete(work));
}

async function close(id: number): Promise<void> {
  try {
    await Promise.all(running);
    await store.close();
    say({ id, end: true });
  } catch (error) {
    say({ id, error: { code: codeOf(error), message: messageOf(error), details: {} } });
  }
}

port.on('message', (message: ToGraphThread) => {
  const { id } = message;
  if ('header' in message) {
    const answer = serveGraphRequest(store, message.header, message.payload);
    answers.set(id, answer);
    begin(advance(id, answer));
  } else if (message.command === 'next') {
    const answer = answers.get(id);
    if (answer !== undefined) begin(advance(id, answer));
  } else if (message.command === 'stop') {
    void answers.get(id)?.return(undefined);
    answers.delete(id);
  } else void close(id);
});
