import { afterEach, describe, expect, it } from 'vitest';
import { openThread, type Thread } from '../../data/thread.ts';
import { isUserError } from '../../ground/errors.ts';
import { root } from '../rig/build.ts';
import type { TestVerbs } from '../rig/thread.ts';

let thread: Thread<TestVerbs>;
const opened = (signal = new AbortController().signal): Thread<TestVerbs> => {
  thread = openThread(`${root}test/rig/thread.ts`, signal);
  return thread;
};
afterEach(() => thread.end());

const thrown = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a module in a thread of its own', () => {
  it('answers questions with plain data, while others wait', async () => {
    const { ask } = opened();
    const waiting = thrown(ask('wait', undefined));
    const doubled = await Promise.all([1, 2, 3].map((x) => ask('double', Float32Array.of(x, -x))));
    expect(doubled).toEqual([1, 2, 3].map((x) => Float32Array.of(2 * x, -2 * x)));
    await thread.end();
    expect(await waiting).toMatchObject({ message: expect.stringContaining('ended by itself') });
  });

  it('throws what is the user to mend as such, with its code and facts', async () => {
    const error = await thrown(opened().ask('refuse', 'rows.csv:7: has no text'));
    expect(isUserError(error, 'data')).toBe(true);
    expect(error).toMatchObject({ message: 'rows.csv:7: has no text', code: 'wrong-row', facts: { row: 7 } });
  });

  it('throws other errors as they are, with what the system calls them', async () => {
    const { ask } = opened();
    expect(await thrown(ask('fail', 'ENOSPC'))).toMatchObject({ message: 'it failed', code: 'ENOSPC' });
    const bug = await thrown(ask('fail', undefined));
    expect([isUserError(bug), bug instanceof Error && 'code' in bug]).toEqual([false, false]);
  });

  it('is asked nothing more once nobody wants to know, but may finish', async () => {
    const controller = new AbortController();
    const { ask, finish } = opened(controller.signal);
    const waiting = thrown(ask('wait', undefined));
    const enough = new Error('enough');
    controller.abort(enough);
    expect(await waiting).toBe(enough);
    expect(await thrown(ask('double', Float32Array.of(1)))).toBe(enough);
    await finish('close');
  });

  it('is ended in the midst of what never ends', async () => {
    const spinning = thrown(opened().ask('spin', undefined));
    await thread.end();
    expect(await spinning).toBeInstanceOf(Error);
  });

  it('fails what is asked when it has ended, and finishes nothing then', async () => {
    const { ask, finish } = opened();
    expect(await thrown(ask('leave', undefined))).toBeInstanceOf(Error);
    expect(await thrown(ask('double', Float32Array.of(1)))).toBeInstanceOf(Error);
    await finish('close');
  });
});
