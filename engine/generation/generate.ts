import { fuseForInference } from '../../graph/rewrite/index.ts';
import { withCache } from '../../models/cache.ts';
import { withGroupedAttention } from '../../models/grouped.ts';
import type { Model } from '../../models/model.ts';
import { allKept, readOn, remembers } from '../decoding.ts';
import type { Engine, Program } from '../engine.ts';
import { nothingRead } from '../feeds.ts';
import type { Choose } from './choose.ts';

/** A decoder that is loaded to write. */
export interface Writer {
  readonly model: Model;
  readonly program: Program;
}

/** A decoder as it writes fastest; one that remembers nothing yet is given what it remembers with. */
const asWriter = (given: Model): Model => {
  const model = remembers(given) ? given : withCache(given);
  return withGroupedAttention({ ...model, graph: fuseForInference(model.graph) });
};

/** Loads a decoder to write. */
export const openWriter = async (given: Model, engine: Engine, threads: number): Promise<Writer> => {
  const model = asWriter(given);
  const program = await engine.compile(model.graph, { threads, optimization: 'all', memory: 'pooled' });
  return { model, program };
};

/** How far a text is written on. */
export interface Writing {
  readonly prompt: ArrayLike<number>;
  /** New tokens at most. */
  readonly most: number;
  readonly choose: Choose;
  /** The token that ends a text. */
  readonly end: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes a text on, token by token: the prompt is read once, and each new token behind all that is remembered. The token that
 * ends the text is the last one given.
 */
export async function* written({ model, program }: Writer, writing: Writing): AsyncGenerator<number> {
  const { prompt, most, choose, end, signal } = writing;
  const all = Array.from(prompt);
  let past = nothingRead(model.info.signature, 1);
  let unread = all.slice();
  for (let count = 0; count < most; count++) {
    signal?.throwIfAborted();
    const read = await readOn(program, model, { tokens: [unread], masks: [allKept(all.length)], past, last: 1 });
    const next = choose(read.scores.subarray(-read.vocabulary), all);
    all.push(next);
    yield next;
    if (next === end) return;
    past = read.past;
    unread = [next];
  }
}
