import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { crowdingClock, waitingClock } from '../../engine/processor.ts';

const LOOP =
  'process.stdin.on("end", () => process.exit()).resume(); setInterval(() => { const end = Date.now() + 100; while (Date.now() < end); }, 0)';

describe('the clock of waiting', () => {
  it('tells time without a processor from work', async () => {
    const asleep = waitingClock();
    await sleep(200);
    expect(asleep()).toBeGreaterThan(0.5);
  });

  it('stays between 0 and 1 however short the work is', () => {
    for (let i = 0; i < 100; i++) {
      const share = waitingClock()();
      expect(share).toBeGreaterThanOrEqual(0);
      expect(share).toBeLessThanOrEqual(1);
    }
  });
});

describe('the clock of crowding', () => {
  it('tells cores that other processes take from as many threads', async () => {
    const cores = availableParallelism();
    const loops = Array.from({ length: 2 * cores }, () =>
      spawn(process.execPath, ['-e', LOOP], { stdio: ['pipe', 'ignore', 'ignore'] }),
    );
    try {
      await sleep(500);
      const crowding = crowdingClock(cores);
      await sleep(1000);
      expect(crowding()).toBeGreaterThan(0.3);
    } finally {
      for (const loop of loops) loop.kill('SIGKILL');
    }
  });
});
