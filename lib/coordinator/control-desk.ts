import type { Connection, Message } from './connection.js';
import { type ControlRequest, parseControlRequest } from './control-messages.js';
import { describeThrown } from './messages.js';

/** Connections of people at once. */
const MOST = 8;
/** Milliseconds in which one must ask something, or take its answer. */
const PATIENCE = 60_000;

/**
 * Answers what people ask of a run. One answer at a time goes out to each, from memory; whoever asks for more before it
 * has the last one, says what is no request, takes no answer or says nothing for long is disconnected. Nothing here waits for anybody.
 */
export class ControlDesk {
  private readonly visitors = new Set<Connection>();

  /** @param answer gives data, or throws what the client is told */
  constructor(
    private readonly answer: (request: ControlRequest) => unknown,
    private readonly patience: number = PATIENCE,
  ) {}

  admit(connection: Connection): void {
    if (this.visitors.size >= MOST) {
      connection.send(refusal(new Error(`expected at most ${MOST} that ask at once`)));
      connection.end();
      return;
    }
    this.visitors.add(connection);
    let timer = this.deadline(connection);
    let busy = false;
    const reply = async (message: Message, payload: Uint8Array): Promise<void> => {
      busy = true;
      // in a turn of its own: who asks a thousand times at once holds nobody up
      await new Promise(setImmediate);
      const known = this.say(connection, message, payload);
      await connection.drained();
      busy = false;
      if (!known) connection.end();
    };
    connection.receive((message, payload) => {
      clearTimeout(timer);
      timer = this.deadline(connection);
      if (busy) connection.destroy();
      else void reply(message, payload);
    });
    void connection.closed.then(() => {
      clearTimeout(timer);
      this.visitors.delete(connection);
    });
  }

  /** Whether it was a request. */
  private say(connection: Connection, message: Message, payload: Uint8Array): boolean {
    let request: ControlRequest;
    try {
      request = parseControlRequest(message);
      if (payload.byteLength > 0) throw new Error('a control request has no payload');
    } catch (error) {
      connection.send(refusal(error));
      return false;
    }
    try {
      connection.send({ type: 'answer', answer: this.answer(request) ?? null });
    } catch (error) {
      connection.send(refusal(error));
    }
    return true;
  }

  private deadline(connection: Connection): NodeJS.Timeout {
    return setTimeout(() => connection.destroy(), this.patience).unref();
  }
}

function refusal(error: unknown): Message {
  const { message, code } = describeThrown(error);
  return { type: 'refuse', error: { message, code } };
}
