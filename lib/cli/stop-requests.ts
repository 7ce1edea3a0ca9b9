const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

export interface StopRequests {
  /** Aborted by the first request: no new blocks, those that run may end. */
  readonly stop: AbortSignal;
  /** Aborted by the second: at once. */
  readonly kill: AbortSignal;
  /** Gives the signals back to whoever had them. */
  release(): void;
}

/** Turns Ctrl-C, the closing of the terminal and polite kills into an orderly stop, and a second one into a fast one. */
export function onStopRequests(say: (request: 'stop' | 'kill') => void): StopRequests {
  const stop = new AbortController();
  const kill = new AbortController();
  const listen = () => {
    if (kill.signal.aborted) return;
    const controller = stop.signal.aborted ? kill : stop;
    say(controller === stop ? 'stop' : 'kill');
    controller.abort();
  };
  for (const signal of SIGNALS) process.on(signal, listen);
  return {
    stop: stop.signal,
    kill: kill.signal,
    release: () => {
      for (const signal of SIGNALS) process.off(signal, listen);
    },
  };
}
