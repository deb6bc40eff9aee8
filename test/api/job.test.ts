import { describe, expect, it } from 'vitest';
import { startJob } from '../../pipeline/api/job.ts';
import type { Job } from '../../pipeline/api/job-type.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const gathered = async <E>(job: Job<E, unknown>): Promise<readonly E[]> => {
  const events: E[] = [];
  for await (const event of job) events.push(event);
  return events;
};

const never = (): boolean => false;

describe('a job', () => {
  it('gives what its work comes to, and each event in its order', async () => {
    const job = startJob<number, string>(async (emit) => {
      for (const n of [1, 2, 3]) {
        emit(n);
        await turn();
      }
      return 'done';
    }, never);
    expect(await gathered(job)).toEqual([1, 2, 3]);
    expect(await job).toBe('done');
  });

  it('keeps events for whoever iterates late, the newest of those that replace each other', async () => {
    const job = startJob<string, void>(
      async (emit) => {
        for (const event of ['a1', 'a2', 'b1', 'a3', 'a4']) emit(event);
      },
      (later, earlier) => later[0] === earlier[0],
    );
    await job;
    expect(await gathered(job)).toEqual(['a2', 'b1', 'a4']);
  });

  it('misses nothing that is emitted at once', async () => {
    const job = startJob<number, number>(async (emit) => {
      emit(1);
      return 2;
    });
    expect(await gathered(job)).toEqual([1]);
  });

  it('throws in the iteration what its work throws, once the events before it were given', async () => {
    const job = startJob<number, void>(async (emit) => {
      emit(7);
      throw new Error('broken');
    });
    const events: number[] = [];
    const reading = (async () => {
      for await (const event of job) events.push(event);
    })();
    await expect(reading).rejects.toThrow('broken');
    expect(events).toEqual([7]);
    await expect(job).rejects.toThrow('broken');
  });

  it('goes on where somebody leaves its iteration', async () => {
    const job = startJob<number, number>(async (emit) => {
      for (let n = 0; n < 5; n++) {
        emit(n);
        await turn();
      }
      return 5;
    }, never);
    for await (const event of job) if (event === 1) break;
    expect(await job).toBe(5);
  });

  it('turns what is thrown before the first await into a rejection', async () => {
    const job = startJob(() => {
      throw new Error('at once');
    });
    await expect(job).rejects.toThrow('at once');
  });
});
