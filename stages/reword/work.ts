import type { Example } from '../../data/dataset.ts';
import { readDatasetArtifact } from '../../data/files.ts';
import { permutation, stream } from '../../data/random.ts';
import { type Rows, rowOf } from '../../data/rows.ts';
import { tokenizerOf } from '../../data/tokenize.ts';
import { type Encoded, tokensOf } from '../../engine/encoded.ts';
import { openPredictor, type Predictor } from '../../engine/predict.ts';
import { wholeTexts } from '../../engine/read.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import { stageError } from '../../ground/errors.ts';
import { readModelArtifact } from '../../models/files.ts';
import { type Model, tokenizerIn } from '../../models/model.ts';
import { batchingOf } from '../../models/quantized.ts';
import { maskTokenOf, specialIds } from '../../models/special-tokens.ts';
import type { StageContext, StageRun } from '../stage.ts';
import { calledIn, longest } from '../train/examples.ts';
import type { Config, Reported } from './index.ts';
import { guesserProblem, ROUNDS } from './index.ts';
import { marksOf } from './marks.ts';
import { RewordingRows, writeRewordings } from './table.ts';

/** Texts that are asked about at once. */
const CHUNK = 1000;

/** Two letters or more. */
const isWord = (text: string | undefined): boolean => text !== undefined && /^\p{L}[\p{L}\p{M}]+$/u.test(text);

/** What is known of the tokens of a masked language model. */
interface Reading {
  readonly mask: number;
  /** Whether a token is a whole word that may stand in place of another. */
  isWhole(token: number): boolean;
  /** Where words of a single token stand. */
  placesIn(tokens: ArrayLike<number>): readonly number[];
}

const readingOf = (model: Model): Reading => {
  const problem = guesserProblem(model.info.task);
  if (problem !== undefined) throw stageError(problem);
  const [mask, marks, special] = [maskTokenOf(model), marksOf(tokenizerIn(model)), specialIds(model)];
  if (mask === undefined) throw stageError('the tokenizer of the masked language model has no mask token');
  if (marks === undefined)
    throw stageError('the tokens of the masked language model do not show where words begin: take tokens or spans');
  const { size, token } = tokenizerOf(tokenizerIn(model));
  const whole = Uint8Array.from({ length: size }, (_, id) =>
    Number(!special.has(id) && isWord(marks.begins(token(id) ?? ''))),
  );
  const isWhole = (id: number): boolean => whole[id] === 1;
  const goesOn = (id: number | undefined): boolean =>
    id !== undefined && !special.has(id) && marks.goesOn(token(id) ?? '');
  return {
    ...{ mask: mask.id, isWhole },
    placesIn: (tokens) =>
      Array.from(tokens).flatMap((id, place) => (isWhole(id) && !goesOn(tokens[place + 1]) ? [place] : [])),
  };
};

/** A text with some of its words hidden, which are asked about. */
const hidden = (example: Encoded, places: readonly number[], mask: number): Encoded => {
  const tokens = Int32Array.from(tokensOf(example));
  for (const place of places) tokens[place] = mask;
  return { ...example, byRole: { ...example.byRole, tokens }, places: Int32Array.from(places) };
};

/** The words of a text in as many rounds as it takes: in each a part of them, chosen at random, is hidden. */
const roundsOf = (places: readonly number[], id: number): readonly (readonly number[])[] => {
  const order = permutation(places.length, stream(0, 'reword', id));
  return Array.from({ length: Math.min(ROUNDS, places.length) }, (_, round) =>
    places.filter((_, at) => (order[at] ?? 0) % ROUNDS === round),
  );
};

/** The likeliest other words of an answer, the first one first. */
const othersIn = (rows: Rows, row: number, was: number, { isWhole }: Reading, top: number) => {
  const numbers = rowOf(rows, row);
  const peak = Math.max(...numbers);
  const all = Array.from(numbers, (logit, i) => ({
    token: rows.kept?.[row * rows.columns + i] ?? i,
    chance: Math.exp(logit - peak),
  }));
  const words = all.filter(({ token }) => token !== was && isWhole(token));
  return words.sort((a, b) => b.chance - a.chance || a.token - b.token).slice(0, top);
};

interface Guessing {
  readonly model: Model;
  readonly reading: Reading;
  readonly predictor: Predictor;
  readonly maxLength: number;
  readonly top: number;
}

/** Adds the texts of a chunk to a table. */
const guess = async (
  texts: readonly Example[],
  { model, reading, predictor, maxLength, top }: Guessing,
  rows: RewordingRows,
  signal: AbortSignal,
): Promise<void> => {
  const encoded = await wholeTexts(model, texts, maxLength, signal);
  const rounds = encoded.map((one, i) => roundsOf(reading.placesIn(tokensOf(one)), texts[i]?.id ?? 0));
  const examples = encoded.flatMap((one, i) => (rounds[i] ?? []).map((places) => hidden(one, places, reading.mask)));
  const batching = batchingOf(model.graph);
  const said = await predictor.predict({
    ...{ examples, batching, keep: 'largest', signal, called: calledIn('training', texts) },
  });
  let answer = 0;
  for (const [i, all] of rounds.entries()) {
    const tokens = tokensOf(encoded[i] ?? { length: 0, byRole: {} });
    const found = all.flat().map((place) => ({ place, answer: answer++ }));
    for (const { place, answer: row } of found.sort((a, b) => a.place - b.place)) {
      const was = tokens[place] ?? 0;
      rows.word(place, was, othersIn(said.rows, row, was, reading, top));
    }
    rows.close();
  }
};

const guessAll = async (
  texts: readonly Example[],
  guessing: Guessing,
  { signal, progress }: Pick<StageContext, 'signal' | 'progress'>,
): Promise<RewordingRows> => {
  const rows = new RewordingRows();
  for (let at = 0; at < texts.length; at += CHUNK) {
    signal.throwIfAborted();
    await guess(texts.slice(at, at + CHUNK), guessing, rows, signal);
    progress({ done: Math.min(texts.length, at + CHUNK), total: texts.length, unit: 'texts' });
  }
  return rows;
};

export const run: StageRun<Config, Reported> = async (inputs, { top, labelled }, ctx) => {
  if (inputs.model === undefined || inputs.dataset === undefined) throw new Error('reword needs a model and a dataset');
  const model = await readModelArtifact(inputs.model.path);
  const dataset = await readDatasetArtifact(inputs.dataset.path);
  const texts = labelled === true ? dataset.train : [...dataset.train, ...dataset.unlabelled];
  const reading = readingOf(model);
  const task = taskOf(model.info.task);
  const predictor = await openPredictor({ model, task, threads: ctx.threads, engine: await ctx.engine() });
  try {
    const guessing = { model, reading, predictor, top, maxLength: longest(dataset, model) };
    const rows = await guessAll(texts, guessing, ctx);
    const ids = Int32Array.from(texts, ({ id }) => id);
    const folder = await ctx.output('rewordings', 'rewordings');
    await writeRewordings(folder, { ...rows.all, ids, tokenizer: tokenizerIn(model) });
    return { texts: texts.length, words: rows.words };
  } finally {
    await predictor.release();
  }
};
