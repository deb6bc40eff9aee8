import { describe, expect, it } from 'vitest';
import { smallEncoder } from '../models/support.ts';
import { predictLogits } from './logits.ts';
import { memoryCheckpoints } from './rig.ts';

/** Padding is masked out, but kernels block sums by length: a few roundings. */
const PADDING = 1e-6;

const words = ['cat', 'dog', 'runs', 'sleeps', 'the', 'old', 'small'];
const texts = Array.from({ length: 150 }, (_, i) =>
  Array.from({ length: 1 + ((i * 7) % 9) }, (_, j) => words[(i + j * j) % words.length]).join(' '),
);
const base = { model: smallEncoder(), texts, maxLength: 12, threads: 1 };

const furthest = (a: Float32Array, b: Float32Array): number =>
  a.reduce((worst, x, i) => Math.max(worst, Math.abs(x - (b[i] ?? Number.NaN))), 0);

describe('prediction', () => {
  it('gives logits in the order of the texts, batched or one by one', async () => {
    const together = await predictLogits({ ...base, batching: 'length' });
    const single = await predictLogits({ ...base, batching: 'single' });
    expect(together.length).toBe(150 * 3);
    expect(furthest(together, single)).toBeLessThan(PADDING);
    const [, second = ''] = texts;
    const alone = await predictLogits({ ...base, texts: [second], batching: 'single' });
    expect(alone).toEqual(single.slice(3, 6));
  });

  it('is the same on one thread and on two', async () => {
    const one = await predictLogits({ ...base, batching: 'length' });
    expect(await predictLogits({ ...base, threads: 2, batching: 'length' })).toEqual(one);
  });

  it('takes token ids as well as texts, and none at all', async () => {
    const ids = await predictLogits({ ...base, texts: [{ ids: Int32Array.of(7, 3) }], batching: 'length' });
    expect(ids).toEqual(await predictLogits({ ...base, texts: ['the cat'], batching: 'length' }));
    expect(await predictLogits({ ...base, texts: [], batching: 'length' })).toEqual(new Float32Array());
  });

  it('reports what is done and stops when asked', async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const onProgress = (done: number): void => {
      seen.push(done);
      if (done >= 3) controller.abort(new Error('enough'));
    };
    const running = predictLogits({ ...base, batching: 'single', signal: controller.signal, onProgress });
    await expect(running).rejects.toThrow('enough');
    expect(seen).toEqual([1, 2, 3]);
  });

  it('goes on from its checkpoint, to the same logits', async () => {
    const checkpoints = memoryCheckpoints();
    const controller = new AbortController();
    let first = 0;
    const onProgress = (done: number): void => {
      first = done;
      if (done >= 70) controller.abort(new Error('interrupted'));
    };
    const request = { ...base, batching: 'single' as const, checkpoints };
    const broken = predictLogits({ ...request, signal: controller.signal, onProgress });
    await expect(broken).rejects.toThrow('interrupted');
    const seen: number[] = [];
    const resumed = await predictLogits({ ...request, onProgress: (done) => seen.push(done) });
    expect(seen[0]).toBe(first + 1);
    expect(resumed).toEqual(await predictLogits({ ...base, batching: 'single' }));
  });
});
