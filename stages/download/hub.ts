import { setTimeout as pause } from 'node:timers/promises';
import { stageError } from '../../ground/errors.ts';

/** How long to wait for a hub. Tests are less patient. */
export interface Patience {
  /** A connection on which nothing arrives for this long counts as cut. */
  readonly stallMs: number;
  /** The first pause after a failure; each further one is twice as long. */
  readonly pauseMs: number;
  /** The longest that the hub may ask to wait. */
  readonly longestMs: number;
}

export const patience: Patience = { stallMs: 30_000, pauseMs: 500, longestMs: 300_000 };

/** A hub and how it is talked to. */
export interface Hub {
  readonly endpoint: string;
  /** Sent to the endpoint's own host alone. */
  readonly token: string | undefined;
  readonly signal: AbortSignal;
  readonly patience: Patience;
  log(message: string): void;
}

interface Again {
  /** Where the hub says when to come back. */
  readonly waitMs?: number | undefined;
  /** Part of the file arrived before: patience starts anew. */
  readonly gained?: boolean;
}

/** A failure that may pass: a cut connection, a busy hub. */
export class PassingError extends Error {
  override readonly name = 'PassingError';
  readonly again: Again;
  constructor(message: string, again: Again = {}) {
    super(message);
    this.again = again;
  }
}

const MOST_FAILURES = 5;

const seconds = (ms: number): string => `${ms < 10_000 ? Math.round(ms / 100) / 10 : Math.round(ms / 1000)} s`;

/** How long to wait after a failure, or the error that ends it. */
const pauseAfter = ({ message, again }: PassingError, failures: number, { patience: least }: Hub): number => {
  if (failures > MOST_FAILURES) {
    throw stageError(
      `${message}; given up after ${failures} attempts. Run the same command again later: what has arrived is kept`,
    );
  }
  const { waitMs } = again;
  if (waitMs === undefined) return least.pauseMs * 2 ** (failures - 1);
  if (waitMs <= least.longestMs) return waitMs;
  throw stageError(`${message}, and asks to wait ${seconds(waitMs)}; run the same command again after that`);
};

/** Repeats an attempt whose failures may pass, with longer and longer pauses, while it gets anywhere. */
export const persist = async <T>(hub: Hub, attempt: () => Promise<T>): Promise<T> => {
  for (let failures = 0; ; ) {
    try {
      return await attempt();
    } catch (error) {
      hub.signal.throwIfAborted();
      if (!(error instanceof PassingError)) throw error;
      failures = error.again.gained === true ? 1 : failures + 1;
      const ms = pauseAfter(error, failures, hub);
      hub.log(`${error.message}; tries again in ${seconds(ms)}`);
      await pause(ms, undefined, { signal: hub.signal }).catch(() => hub.signal.throwIfAborted());
    }
  }
};
