import { codeOf, messageOf } from '../errors.js';
import type { Console } from './console.js';

/** Says what went wrong: code and message, the stack only to those who ask for it. */
export function printError(error: unknown, console: Console, verbose: boolean): void {
  const code = codeOf(error);
  const message = messageOf(error);
  console.error(`blockwright: ${code === undefined || message.includes(code) ? '' : `${code}: `}${message}`);
  if (verbose) console.error(stackOf(error));
  else if (code === undefined) console.error('(the stack is shown with --verbose)');
}

function stackOf(error: unknown): string {
  const { stack, cause } = (typeof error === 'object' && error !== null ? error : {}) as {
    stack?: string;
    cause?: unknown;
  };
  const own = stack ?? messageOf(error);
  return cause === undefined ? own : `${own}\ncaused by: ${stackOf(cause)}`;
}
