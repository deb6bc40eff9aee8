/** Work that takes the processor, one piece after the other; undefined where too much waits already. */
export interface Turns {
  take<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result | undefined>;
}

/** Pieces that may wait besides the one that is done. */
const MOST_WAITING = 4;

export const turns = (): Turns => {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return {
    take: async (work, signal) => {
      if (waiting > MOST_WAITING) return undefined;
      waiting++;
      const mine = last.then(() => (signal.aborted ? undefined : work()));
      last = mine.catch(() => undefined);
      return await mine.finally(() => waiting--);
    },
  };
};
