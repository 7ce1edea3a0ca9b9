import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, expect, test } from '@jest/globals';
import { cancellationCases } from '../../benchmarks/cancellation-cases.js';
import { codeOf } from '../../lib/errors.js';
import { loadAddon } from '../../lib/native/addon.js';

const folder = mkdtempSync(join(tmpdir(), 'blockwright-cancellation-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Far more work than a moment's: half a second and more. How soon a call ends is measured by benchmarks/cancellation.ts. */
const VOXELS = 1 << 22;
/** Functions whose work is one chunk or a few system calls. */
const SHORT = ['decodeChunk', 'findInnerChunks', 'mapFile', 'outputMemory'];

test('every function of the addon has a case here, or is short', () => {
  const known = new Set([...cancellationCases.map(({ native }) => native), ...SHORT]);
  expect(Object.keys(loadAddon()).filter((name) => !known.has(name))).toEqual([]);
});

test.each(cancellationCases.map((each) => [`${each.native}, ${each.name}`, each] as const))(
  '%s: ends with ERR_CANCELLED when it is told to, at work or before',
  async (_, each) => {
    const call = await each.make(Math.ceil(each.part * VOXELS), folder);
    const outcome = (threads: number, signal: AbortSignal) => {
      call.prepare?.();
      return call.run({ threads, signal }).then(
        () => 'ended by itself',
        (error: unknown) => codeOf(error),
      );
    };
    expect(await outcome(1, AbortSignal.abort())).toBe('ERR_CANCELLED');
    for (const threads of each.threaded ? [1, 3] : [1]) {
      let found: unknown;
      // a call that never looks at its signal ends by itself each time; one that does, only where this thread was held up
      for (let attempt = 0; attempt < 5 && found !== 'ERR_CANCELLED'; attempt++) {
        const controller = new AbortController();
        const work = outcome(threads, controller.signal);
        // the event loop is live: this timer fires while the call is at work
        await wait(2);
        controller.abort();
        found = await work;
      }
      expect({ threads, found }).toEqual({ threads, found: 'ERR_CANCELLED' });
    }
  },
);
