import { tokenizerOf } from '../../data/tokenize.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { chooser } from '../../engine/generation/choose.ts';
import { openWriter, readerOf, written } from '../../engine/generation/generate.ts';
import { readModel } from '../../models/files.ts';
import { tokenizerIn } from '../../models/model.ts';
import type { Precision } from '../../models/precision.ts';

export const NEW_TOKENS = 12;
/** Of different lengths: in a batch the shorter one stands behind padding. */
export const prompts = ['the old dog', 'quietly and small bird runs'];

/** What clients are asked for: the most probable tokens, and no end before all are written. */
export const greedy = { max_new_tokens: NEW_TOKENS, do_sample: false, eos_token_id: 299_999 };

/** Tokens that decant writes behind a prompt. */
const writtenBehind = async (
  folder: string,
  precision: Precision,
  [prompt, repetition]: readonly [string, number],
): Promise<readonly number[]> => {
  const model = await readModel(folder, { precision });
  const { ids } = await tokenizerOf(tokenizerIn(model)).encode(prompt, 100);
  const writer = await openWriter(model, cpuEngine, 1);
  const made: number[] = [];
  const writing = { prompt: ids, most: NEW_TOKENS, choose: chooser({ repetition }, 0), end: undefined };
  for await (const id of written(writer, writing)) made.push(id);
  await writer.program.release();
  return made;
};

/**
 * Tokens that decant writes behind each prompt. `repetition` is how much is held against those that were written: tiny models of random
 * weights else repeat themselves.
 */
export const ownTokens = (
  folder: string,
  precision: Precision,
  repetition = 1,
): Promise<readonly (readonly number[])[]> =>
  Promise.all(prompts.map((prompt) => writtenBehind(folder, precision, [prompt, repetition])));

/** By how much of the largest score a taken token falls behind the best, at most, where decant reads what a client wrote. */
const behindBest = async (
  folder: string,
  precision: Precision,
  [prompt, taken]: readonly [string, readonly number[]],
): Promise<number> => {
  const model = await readModel(folder, { precision });
  const { ids } = await tokenizerOf(tokenizerIn(model)).encode(prompt, 100);
  const writer = await openWriter(model, cpuEngine, 1);
  const read = readerOf(writer);
  let [unread, most] = [Array.from(ids), 0];
  for (const id of taken) {
    const scores = await read(unread);
    const [best, largest] = [Math.max(...scores), Math.max(...scores.map(Math.abs))];
    most = Math.max(most, (best - (scores[id] ?? -largest)) / largest);
    unread = [id];
  }
  await writer.program.release();
  return most;
};

/** The same of all prompts: kernels that round activations otherwise take another of two tokens that are as probable. */
export const shortfall = async (
  folder: string,
  precision: Precision,
  taken: readonly (readonly number[])[],
): Promise<number> =>
  Math.max(
    ...(await Promise.all(prompts.map((prompt, row) => behindBest(folder, precision, [prompt, taken[row] ?? []])))),
  );

/** The new tokens of each row of what a client generated. */
export const newTokens = (all: readonly number[], width: number): readonly (readonly number[])[] =>
  Array.from({ length: all.length / width }, (_, row) => all.slice((row + 1) * width - NEW_TOKENS, (row + 1) * width));
