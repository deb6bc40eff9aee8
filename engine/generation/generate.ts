import { fuseForInference } from '../../graph/rewrite/index.ts';
import { withCache } from '../../models/cache.ts';
import { type Fresh, withFreshStates } from '../../models/fresh.ts';
import { withGroupedAttention } from '../../models/grouped.ts';
import type { Model } from '../../models/model.ts';
import { allKept, feedsToRead, readOn, remembers, scoresIn } from '../decoding.ts';
import type { Engine, Program } from '../engine.ts';
import { nothingRead } from '../feeds.ts';
import { type HowFar, type Reader, writtenBehind } from './loop.ts';
import { Memory } from './memory.ts';

/** A decoder that is loaded to write. */
export interface Writer {
  readonly model: Model;
  readonly program: Program;
  /** What the program puts out in place of states, where it does. */
  readonly fresh: Fresh | undefined;
}

/** A decoder as it writes fastest; one that remembers nothing yet is given what it remembers with. */
const asWriter = (given: Model): Model => {
  const model = remembers(given) ? given : withCache(given);
  return withGroupedAttention({ ...model, graph: fuseForInference(model.graph) });
};

/** Loads a decoder to write. */
export const openWriter = async (given: Model, engine: Engine, threads: number): Promise<Writer> => {
  const model = asWriter(given);
  const fresh = withFreshStates(model);
  const options = { threads, optimization: 'all', memory: 'pooled' } as const;
  return { model, fresh, program: await engine.compile(fresh?.graph ?? model.graph, options) };
};

/** Reads one text: keys and values stay where they lie, or go round where an attention wants them all at once. */
export const readerOf = ({ model, program, fresh }: Writer): Reader => {
  const { signature } = model.info;
  let [past, length] = [nothingRead(signature, 1), 0];
  const memory = fresh === undefined ? undefined : new Memory(fresh.states);
  return async (tokens) => {
    length += tokens.length;
    const reading = { tokens: [tokens], masks: [allKept(length)], past: memory?.feeds() ?? past, last: 1 };
    if (memory !== undefined) {
      const outputs = await program.run(feedsToRead(signature, reading));
      memory.add(outputs, tokens.length);
      return scoresIn(signature, outputs, 1).scores;
    }
    const read = await readOn(program, model, reading);
    past = read.past;
    return read.scores;
  };
};

/** What a text is written on behind, and how far. */
export interface Writing extends HowFar {
  readonly prompt: ArrayLike<number>;
}

/** Writes a text on, token by token: the prompt is read once, and each new token behind all that is remembered. */
export const written = (writer: Writer, { prompt, ...how }: Writing): AsyncGenerator<number> =>
  writtenBehind(readerOf(writer), Array.from(prompt), how);
