import type { ChildProcess } from 'node:child_process';
import type { UserError } from '../../ground/errors.ts';
import { dataError } from '../errors.ts';
import { forkModule, moduleBeside } from '../process.ts';
import type { EncodedText, TextInput } from '../tokenize.ts';
import type { TokenizerJson } from '../tokenizer.ts';
import type { Job, Worker } from './jobs.ts';

const entry = moduleBeside(import.meta.url, './guard-process');

/** What the process is asked: texts with a job are encoded, texts without one fall apart into their words. */
export interface GuardOrder {
  readonly json: TokenizerJson;
  readonly texts: readonly TextInput[];
  readonly job: Job | undefined;
  /** Texts that are given to the library at once, and looked at together. */
  readonly piece: number;
}

export type GuardReport =
  | { readonly type: 'loaded' }
  | { readonly type: 'piece'; readonly results: readonly unknown[] }
  | { readonly type: 'failed'; readonly code: string | undefined; readonly message: string }
  | { readonly type: 'over'; readonly limit: string };

/** How a process ended that did not finish: what was the matter, after how many texts. */
interface Stop {
  readonly done: number;
  readonly reason: string;
}

interface Ended {
  readonly results: readonly unknown[];
  readonly stop: Stop | undefined;
}

/** The largest vocabularies take one; nothing else can look at a process that is still loading. */
const LOAD_SECONDS = 30;

/** What was thrown there: without a code it was a bug. */
const failureOf = ({ code, message }: Extract<GuardReport, { readonly type: 'failed' }>): Error =>
  code === undefined ? new Error(message) : dataError(code, message);

const ended = (child: ChildProcess, order: GuardOrder, signal: AbortSignal | undefined): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const results: unknown[] = [];
    let [limit, failure]: [string | undefined, Error | undefined] = [undefined, undefined];
    child.stderr?.resume();
    const load = setTimeout(() => {
      limit = `it was not loaded after ${LOAD_SECONDS} seconds`;
      child.kill('SIGKILL');
    }, LOAD_SECONDS * 1000);
    child.on('message', (report: GuardReport) => {
      if (report.type === 'loaded') clearTimeout(load);
      else if (report.type === 'piece') results.push(...report.results);
      else if (report.type === 'over') limit = report.limit;
      else failure = failureOf(report);
    });
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(load);
      const reason = limit ?? 'the library gave up on it and ended its process';
      if (signal?.aborted) reject(signal.reason);
      else if (failure !== undefined) reject(failure);
      else
        resolve({
          results,
          stop: results.length === order.texts.length ? undefined : { done: results.length, reason },
        });
    });
    child.send(order, () => undefined);
  });

const run = async (order: GuardOrder, signal: AbortSignal | undefined): Promise<Ended> => {
  signal?.throwIfAborted();
  const child = forkModule(entry, 'inherit');
  const end = (): void => void child.kill('SIGKILL');
  signal?.addEventListener('abort', end, { once: true });
  try {
    return await ended(child, order, signal);
  } finally {
    signal?.removeEventListener('abort', end);
  }
};

const tooMuch = (risks: readonly string[], text: TextInput, reason: string): UserError => {
  const { text: first, pair = '' } = typeof text === 'string' ? { text } : text;
  return dataError(
    'tokenizer-limit',
    `tokenizer.json: a text of ${first.length + pair.length} characters (${JSON.stringify(first.slice(0, 100))}) could not be cut into tokens: ${reason}. ` +
      `What may take so much: ${risks.join(', ')}; change it, or take another tokenizer`,
  );
};

const PIECE = 64;

/** Pieces tell only roughly which text was the one: those behind a stop are tried alone. */
const perform = async (
  order: Omit<GuardOrder, 'piece'>,
  risks: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly unknown[]> => {
  const { results, stop } = await run({ ...order, piece: PIECE }, signal);
  if (stop === undefined) return results;
  const texts = order.texts.slice(stop.done, stop.done + PIECE);
  if (texts.length === 1) throw tooMuch(risks, texts[0] ?? '', stop.reason);
  const alone = await run({ ...order, texts, piece: 1 }, signal);
  const { done, reason } = alone.stop ?? stop;
  throw tooMuch(risks, texts[done] ?? '', reason);
};

/** The same work in a process of its own, with limits of time and memory: what it does to that process harms nobody. */
export const guardedWorker = (json: TokenizerJson, risks: readonly string[]): Worker => ({
  encode: async (texts, job, signal) => (await perform({ json, texts, job }, risks, signal)) as readonly EncodedText[],
  words: async (texts) => (await perform({ json, texts, job: undefined }, risks, undefined)) as readonly string[][],
});
