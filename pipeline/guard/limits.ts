/** What a process that runs a stranger's model may take, from now until it says so again. */
export interface Limits {
  readonly bytes: number;
  /** Until the next answer. */
  readonly seconds: number;
  /** How the user allows more. */
  readonly option: { readonly memory: string; readonly timeout: string };
}

export const isLimits = (message: unknown): message is Limits =>
  typeof message === 'object' && message !== null && 'bytes' in message && 'seconds' in message;

const MEGABYTE = 1e6;

/** What the runtime and a small model take beside what is in memory already. */
const BASE = 250 * MEGABYTE;
/** Copies of weights and vocabulary while a model is read, fused, loaded and packed. */
const COPIES = 12;
/** Bytes for each token of a batch: activations of the widest layers that encoders have. */
const PER_TOKEN = 1 << 18;
/** Bytes for each pair of tokens of a text: scores of all heads, some times over. */
const PER_PAIR = 1 << 10;

export interface Work {
  /** Bytes of the model's files. */
  readonly files: number;
  /** Texts that run together, and the tokens of the longest. */
  readonly rows: number;
  readonly longest: number;
}

/** Memory that a model of these weights can need for such texts, were it as wide as any encoder: enough for each, and no more. */
const memoryFor = ({ files, rows, longest }: Work): number =>
  BASE + COPIES * files + rows * longest * (PER_TOKEN + PER_PAIR * longest);

/** The options of commands that run models. */
export interface LimitOptions {
  readonly memory?: number;
  readonly timeout: number;
}

/** Messages cost; a limit that is a little old does no harm. */
const LEAST_MS = 200;

/**
 * Tells the process that watches this one what may be taken; `renew` starts the time anew after each answer. Where nobody
 * watches, nothing is limited.
 */
export const limited = (work: Work, { memory, timeout }: LimitOptions): { renew(): void } => {
  const bytes = memory === undefined ? process.memoryUsage.rss() + memoryFor(work) : memory * MEGABYTE;
  const option = { memory: '--memory MB', timeout: '--timeout SECONDS' };
  let said = 0;
  const say = (): void => {
    said = performance.now();
    const limits: Limits = { bytes, seconds: timeout, option };
    if (process.connected) process.send?.(limits);
  };
  say();
  return { renew: () => (performance.now() - said > LEAST_MS ? say() : undefined) };
};
