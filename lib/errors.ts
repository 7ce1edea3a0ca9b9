/**
 * Every error that Blockwright raises by intention. Codes are the contract and never change; messages are prose.
 * Codes that native code throws are mirrored in native/core/error_codes.h (a test compares the two).
 */
export const ERROR_CODES = [
  // native code
  'ERR_ARGUMENT',
  'ERR_NOT_A_NUMBER',
  'ERR_OUT_OF_MEMORY',
  'ERR_CANCELLED',
  'ERR_NATIVE',
  'ERR_CHUNK_CORRUPT',
  'ERR_METADATA',
  'ERR_UNSUPPORTED',
  'ERR_IO',
  'ERR_LIMIT',
  // geometry and plans
  'ERR_GEOMETRY',
  'ERR_PLAN',
  'ERR_CHUNK_SHARED',
  // storage
  'ERR_ARRAY_MISSING',
  'ERR_ARRAY_EXISTS',
  // pipelines and their files
  'ERR_CONFIG',
  'ERR_PLUGIN',
  // runs
  'ERR_RUN_LOCKED',
  'ERR_PLAN_CHANGED',
  'ERR_PROTOCOL',
  'ERR_AUTHENTICATION',
  'ERR_LEASE_LOST',
  'ERR_BLOCK_TIMEOUT',
  'ERR_WORKER_LOST',
  'ERR_WORKER_START',
  'ERR_INTERRUPTED',
  // graph stores
  'ERR_GRAPH',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** An error with a stable {@link ErrorCode} and, where there are some, the facts behind the message. */
export class BlockwrightError extends Error {
  override readonly name = 'BlockwrightError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Whether a value is an error with one of our codes, from this realm or another, TypeScript or native. */
export function isBlockwrightError(value: unknown): value is Error & { code: ErrorCode } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'code' in value &&
    (ERROR_CODES as readonly unknown[]).includes(value.code)
  );
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  if (typeof thrown === 'object' && thrown !== null && 'message' in thrown) return String(thrown.message);
  return String(thrown);
}

/** The code of anything that was thrown, ours or the system's (`ENOSPC`, ...), or undefined. */
export function codeOf(thrown: unknown): string | undefined {
  if (typeof thrown === 'object' && thrown !== null && 'code' in thrown) return String(thrown.code);
  return undefined;
}
