import { BlockwrightError, codeOf, messageOf } from '../errors.js';

/** An ERR_IO with the system's error name and the path, unless the error is one of ours already. */
export function ioError(action: string, path: string, error: unknown): BlockwrightError {
  if (error instanceof BlockwrightError) return error;
  return new BlockwrightError(
    'ERR_IO',
    `${action} ${path}: ${messageOf(error)}`,
    { path, errno: codeOf(error) },
    { cause: error },
  );
}
