import { fuseForInference } from '../../graph/rewrite/index.ts';
import { joinedFloats } from '../../ground/joined.ts';
import { withAnswerCache } from '../../models/answer-cache.ts';
import { type Model, tokensIn } from '../../models/model.ts';
import { GIVEN, hasSides, SOURCE_MASK, sidesOf, WRITTEN } from '../../models/sides.ts';
import { answerName, expectInput } from '../../models/signature.ts';
import { wholeNumbers } from '../decoding.ts';
import type { Engine, Feeds, HostTensor, Program } from '../engine.ts';
import { nothingRead } from '../feeds.ts';
import { startOf } from '../tasks/text2text.ts';
import { type HowFar, type Reader, writtenBehind } from './loop.ts';

/** An encoder-decoder that is loaded to answer. */
export interface AnswerWriter {
  readonly model: Model;
  readonly encoder: Program;
  readonly decoder: Program;
}

/** Loads both sides; what remembers nothing yet is given what it remembers with. */
export const openAnswerWriter = async (given: Model, engine: Engine, threads: number): Promise<AnswerWriter> => {
  const model = hasSides(given.info) ? given : withAnswerCache(given);
  const sides = sidesOf({ ...model, graph: fuseForInference(model.graph) });
  const options = { threads, optimization: 'all', memory: 'pooled' } as const;
  const encoder = await engine.compile(sides.encoder, options);
  try {
    return { model, encoder, decoder: await engine.compile(sides.decoder, options) };
  } catch (error) {
    await encoder.release();
    throw error;
  }
};

export const releaseAnswerWriter = async ({ encoder, decoder }: AnswerWriter): Promise<void> => {
  await encoder.release();
  await decoder.release();
};

/** Rows of tokens, filled up to the longest, and which of them are no padding. */
const matrices = (rows: readonly ArrayLike<number>[], filler: number) => {
  const length = Math.max(1, ...rows.map((row) => row.length));
  const flat = (at: (row: ArrayLike<number>, i: number) => number): HostTensor =>
    wholeNumbers(
      [rows.length, length],
      rows.flatMap((row) => Array.from({ length }, (_, i) => at(row, i))),
    );
  return { tokens: flat((row, i) => row[i] ?? filler), mask: flat((row, i) => Number(i < row.length)) };
};

/** What answers to some sources have come to: what the decoder is fed beside the next token of each. */
interface Answering {
  readonly feeds: Feeds;
  readonly past: Feeds;
}

const expectOutput = (outputs: Feeds, name: string): HostTensor => {
  const output = outputs[name];
  if (output === undefined) throw new Error(`the graph gave no '${name}'`);
  return output;
};

/** Reads sources: nothing is written yet. */
const readSources = async (
  { model, encoder }: AnswerWriter,
  sources: readonly ArrayLike<number>[],
): Promise<Answering> => {
  const { signature, processor } = model.info;
  const { tokens, mask } = matrices(sources, tokensIn(processor).padding);
  const feeds = { [expectInput(signature, 'tokens')]: tokens, [expectInput(signature, 'mask')]: mask };
  const [features] = Object.values(await encoder.run(feeds));
  if (features === undefined) throw new Error('what reads a source gave nothing');
  return { feeds: { [SOURCE_MASK]: mask, [GIVEN]: features }, past: nothingRead(signature, sources.length) };
};

/** Scores of what comes next in each answer, behind more tokens of each, as many of one as of another. */
const goOn = async (
  { model, decoder }: AnswerWriter,
  { feeds, past }: Answering,
  tokens: readonly ArrayLike<number>[],
): Promise<{ readonly scores: Float32Array; readonly vocabulary: number; readonly next: Answering }> => {
  const { signature } = model.info;
  const length = tokens[0]?.length ?? 0;
  const outputs = await decoder.run({
    ...feeds,
    ...past,
    [WRITTEN]: wholeNumbers(
      [tokens.length, length],
      tokens.flatMap((row) => Array.from(row)),
    ),
  });
  const scores = expectOutput(outputs, answerName(signature));
  if (!(scores.data instanceof Float32Array)) throw new Error('an encoder-decoder answers by float32 scores');
  const kept = signature.states.map(({ past: name, present }): readonly [string, HostTensor] => {
    const own = expectOutput(outputs, present);
    // Of the source all is made in the first pass, and nothing in those that follow.
    return [name, own.dims[2] === 0 ? expectOutput(past, name) : own];
  });
  const next = { feeds, past: Object.fromEntries(kept) };
  return { scores: scores.data, vocabulary: scores.dims.at(-1) ?? 0, next };
};

/** What is answered, and how far. */
export interface AnswerWriting extends HowFar {
  readonly source: ArrayLike<number>;
}

/** Writes the answer to a source, token by token; the token that ends it is the last one given. */
export const answered = (writer: AnswerWriter, { source, ...how }: AnswerWriting): AsyncGenerator<number> => {
  let state: Answering | undefined;
  const read: Reader = async (tokens) => {
    const { scores, next } = await goOn(writer, state ?? (await readSources(writer, [source])), [tokens]);
    state = next;
    return scores;
  };
  return writtenBehind(read, [startOf(writer.model)], how);
};

/** The most probable token after another: the answers to several sources at once, without the token that ends them. */
export const mostProbable = async (
  writer: AnswerWriter,
  {
    sources,
    most,
    end,
    choose,
    signal,
  }: Omit<AnswerWriting, 'source'> & { readonly sources: readonly ArrayLike<number>[] },
): Promise<readonly (readonly number[])[]> => {
  let state = await readSources(writer, sources);
  const start = startOf(writer.model);
  const all = sources.map(() => [start]);
  const ended = sources.map(() => false);
  for (let count = 0; count < most && ended.includes(false); count++) {
    signal?.throwIfAborted();
    const { scores, vocabulary, next } = await goOn(
      writer,
      state,
      all.map((tokens) => tokens.slice(-1)),
    );
    all.forEach((tokens, row) => {
      const chosen = choose(scores.subarray(row * vocabulary, (row + 1) * vocabulary), tokens);
      if (chosen === end) ended[row] = true;
      tokens.push(chosen);
    });
    state = next;
  }
  return all.map((tokens) => {
    const own = tokens.slice(1);
    const at = end === undefined ? -1 : own.indexOf(end);
    return at < 0 ? own : own.slice(0, at);
  });
};

/** Scores of all tokens of answers that are told, in so many pieces: (sources, tokens, vocabulary). */
export const scoresAlong = async (
  writer: AnswerWriter,
  sources: readonly ArrayLike<number>[],
  answers: readonly Int32Array[],
  pieces: number,
): Promise<Float32Array> => {
  let state = await readSources(writer, sources);
  const length = answers[0]?.length ?? 0;
  const found: Float32Array[] = [];
  for (let piece = 0; piece < pieces; piece++) {
    const [start, end] = [piece, piece + 1].map((at) => Math.round((at * length) / pieces));
    const { scores, next } = await goOn(
      writer,
      state,
      answers.map((answer) => answer.subarray(start, end)),
    );
    found.push(scores);
    state = next;
  }
  return joinedFloats(found);
};
