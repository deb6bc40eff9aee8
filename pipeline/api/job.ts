import type { Job } from './job-type.ts';

/** Events that were not read yet, in their order. */
interface Unread<E> {
  push(event: E): void;
  take(): readonly E[];
  end(): void;
  /** Until there are some, or no more will come. */
  some(): Promise<void>;
  isOver(): boolean;
}

const unread = <E>(replaces: (later: E, earlier: E) => boolean): Unread<E> => {
  let events: E[] = [];
  let over = false;
  let wake = (): void => undefined;
  return {
    push: (event) => {
      const last = events.at(-1);
      if (last !== undefined && replaces(event, last)) events.pop();
      events.push(event);
      wake();
    },
    take: () => {
      const taken = events;
      events = [];
      return taken;
    },
    end: () => {
      over = true;
      wake();
    },
    some: () =>
      new Promise<void>((resolve) => {
        wake = resolve;
        if (over || events.length > 0) resolve();
      }),
    isOver: () => over && events.length === 0,
  };
};

/** Starts work, in the next turn, so that whoever iterates at once misses nothing. */
export const startJob = <E, R>(
  work: (emit: (event: E) => void) => Promise<R>,
  replaces: (later: E, earlier: E) => boolean = () => true,
): Job<E, R> => {
  const events = unread(replaces);
  const result = Promise.resolve()
    .then(() => work(events.push))
    .finally(events.end);
  async function* iterate(): AsyncGenerator<E> {
    // The iteration throws it: it is not lost where nobody awaits the job as well.
    result.catch(() => undefined);
    while (!events.isOver()) {
      await events.some();
      yield* events.take();
    }
    await result;
  }
  return Object.assign(result, { [Symbol.asyncIterator]: iterate });
};
