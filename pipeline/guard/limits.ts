import { freemem, totalmem } from 'node:os';
import { bytes as sized } from '../../ground/bytes.ts';
import type { Need, Room } from '../../ground/memory.ts';

/** What a process that runs a stranger's model may take, from now until it says so again, and what is said where it takes more. */
export interface Limits {
  readonly memory: { readonly bytes: number; readonly message: string };
  /** Until the next answer. */
  readonly time?: { readonly seconds: number; readonly message: string };
}

export const isLimits = (message: unknown): message is Limits =>
  typeof message === 'object' && message !== null && 'memory' in message && 'time' in message;

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

const tooLarge = (bytes: number): string =>
  `the model was stopped: it took more than ${sized(bytes)} of memory, which is more than its weights and these texts should need; where you trust it, allow more with --memory MB`;

const tooSlow = (seconds: number): string =>
  `the model was stopped: it gave no answer for ${seconds} seconds; where you trust it, allow more with --timeout SECONDS`;

/** Messages cost; a limit that is a little old does no harm. */
const LEAST_MS = 200;

/** Who watches this process, if anybody does, and what its command allows. */
const watch: { say?: (limits: Limits) => void; allowed: LimitOptions } = { allowed: { timeout: 60 } };

/** From now on somebody watches this process: whoever uses decant as a library is not watched. */
export const watchedBy = (say: (limits: Limits) => void): void => {
  watch.say = say;
};

/** What the command of this process allows. */
export const allow = (options: LimitOptions): void => {
  watch.allowed = options;
};

/**
 * Tells the process that watches this one what may be taken; `renew` starts the time anew after each answer. Where nobody
 * watches, nothing is limited, and the work is not even looked at.
 */
export const limited = async (work: () => Work | Promise<Work>): Promise<{ renew(): void }> => {
  const { allowed, say: tell } = watch;
  if (tell === undefined) return { renew: () => undefined };
  const { memory, timeout } = allowed;
  const asked = await work();
  const bytes = memory === undefined ? process.memoryUsage.rss() + memoryFor(asked) : memory * MEGABYTE;
  const limits: Limits = {
    memory: { bytes, message: tooLarge(bytes) },
    time: { seconds: timeout, message: tooSlow(timeout) },
  };
  let said = 0;
  const say = (): void => {
    said = performance.now();
    tell(limits);
  };
  say();
  return { renew: () => (performance.now() - said > LEAST_MS ? say() : undefined) };
};

/** Memory of a machine, in bytes. */
interface Machine {
  readonly total: number;
  /** What nobody uses. */
  readonly free: number;
}

/** This machine, or as much of it as its container may use. Only Linux counts what it would give back as free. */
const thisMachine = (): Machine => {
  const constrained = process.constrainedMemory() ?? 0;
  const total = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  return { total, free: process.platform === 'linux' ? Math.min(freemem(), total) : total };
};

const SHARE_OF_FREE = 0.95;
const SHARE_OF_TOTAL = 0.5;

/** What a step can take before the machine suffers: nearly all that is free, and half of all where others have more than that. */
export const stepMemory = ({ total, free }: Machine = thisMachine()): number =>
  Math.max(SHARE_OF_FREE * free, SHARE_OF_TOTAL * total);

/** Memory of a step of a run: megabytes that the user allows, or what the machine has. */
export const stepRoom = (megabytes: number | undefined): Room => ({
  bytes: megabytes === undefined ? stepMemory() : megabytes * MEGABYTE,
  asked: megabytes !== undefined,
});

/** What is said to a step that may take so much, where it does not know itself what would help. It may take as long as it likes. */
export const stepLimits = ({ bytes, asked }: Room, need?: Need): Limits => {
  const whose = asked ? 'which --memory allows' : 'which is nearly all that this machine has to give';
  const advice = need?.advice ?? 'take shorter texts, smaller batches or a smaller model';
  const message = `the step was stopped: it took more than ${sized(bytes)} of memory, ${whose}; ${advice}, or allow more with --memory MB`;
  return { memory: { bytes, message } };
};
