import { lengthBatches } from '../../data/batches.ts';
import type { Dataset, Example } from '../../data/dataset.ts';
import { lengthsOf } from '../../data/lengths.ts';
import { spreadOver } from '../../data/spread.ts';
import { tokenizerOf } from '../../data/tokenize.ts';
import { decoderOf } from '../../data/tokenizers/decode.ts';
import { compareAnswers, type WrittenColumns } from '../../data/written.ts';
import { type Answers, answerCount } from '../../engine/answers.ts';
import { textNumber } from '../../engine/encoded.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { mostProbable, openAnswerWriter, releaseAnswerWriter } from '../../engine/generation/answer.ts';
import { chooser } from '../../engine/generation/choose.ts';
import { openWriter, written } from '../../engine/generation/generate.ts';
import type { WrittenSample } from '../../ground/reported/evaluation.ts';
import { modelTask } from '../../ground/tasks.ts';
import { type Model, tokenizerIn } from '../../models/model.ts';
import { batchingOf } from '../../models/quantized.ts';
import { endTokenOf } from '../../models/special-tokens.ts';
import type { StageContext } from '../stage.ts';

type Writing = Pick<StageContext, 'threads' | 'signal' | 'progress'>;

/** Prompts that are answered at once, and of a decoder one after the other: at most so many. */
const BATCH = 64;
const MOST_SOURCES = 10_000;
const MOST_PROMPTS = 500;

/** Tokens behind each of some prompts, the most probable one after another. */
type Write = (
  prompts: readonly Int32Array[],
  most: number,
  told: (done: number) => void,
) => Promise<readonly (readonly number[])[]>;

const greedy = chooser({}, 0);

const answering = async (
  model: Model,
  { threads, signal }: Writing,
): Promise<{ write: Write; release(): Promise<void> }> => {
  const end = endTokenOf(model)?.id;
  if (modelTask(model.info.task).reads === 'source') {
    const writer = await openAnswerWriter(model, cpuEngine, threads);
    const size = batchingOf(model.graph) === 'single' ? 1 : BATCH;
    return {
      write: async (prompts, most, told) => {
        const all: (readonly number[])[] = [];
        let done = 0;
        for (const { rows } of lengthBatches(lengthsOf(prompts), () => size)) {
          const sources = Array.from(rows, (row) => prompts[row] ?? new Int32Array());
          const answers = await mostProbable(writer, { sources, most, choose: greedy, end, signal });
          for (const [i, row] of rows.entries()) all[row] = answers[i] ?? [];
          done += rows.length;
          told(done);
        }
        return all;
      },
      release: () => releaseAnswerWriter(writer),
    };
  }
  const writer = await openWriter(model, cpuEngine, threads);
  return {
    write: async (prompts, most, told) => {
      const all: number[][] = [];
      for (const prompt of prompts) {
        const own: number[] = [];
        const limit = Math.min(most, model.info.maxLength - prompt.length);
        for await (const id of written(writer, { prompt, most: limit, choose: greedy, end, signal }))
          if (id !== end) own.push(id);
        all.push(own);
        told(all.length);
      }
      return all;
    },
    release: () => writer.program.release(),
  };
};

/** Answers of test texts that were written, by the number of the text. */
export interface WrittenAnswers {
  readonly texts: ReadonlyMap<number, string>;
  /** The first of them. */
  readonly sample: WrittenSample;
}

/** The test texts that have an answer, at most so many and spread evenly. */
const asked = (test: readonly Example[], most: number): readonly number[] => {
  const pairs = test.flatMap(({ pair }, text) => (pair === undefined ? [] : [text]));
  return pairs.length <= most ? pairs : Array.from(spreadOver(pairs.length, most), (at) => pairs[at] ?? 0);
};

/** What a model answers to test texts, each time by the most probable token; undefined where none has an answer. */
export const writeTexts = async (
  model: Model,
  { test, maxLength }: Pick<Dataset, 'test' | 'maxLength'>,
  ctx: Writing,
): Promise<WrittenAnswers | undefined> => {
  const texts = asked(test, modelTask(model.info.task).reads === 'source' ? MOST_SOURCES : MOST_PROMPTS);
  const [first] = texts;
  if (first === undefined) return undefined;
  const prompts = texts.map((text) => test[text]?.text ?? '');
  const longest = Math.min(maxLength, model.info.maxLength);
  const encoded = await tokenizerOf(tokenizerIn(model)).encodeBatch(prompts, longest - 1, ctx.signal);
  const { write, release } = await answering(model, ctx);
  const decode = decoderOf(tokenizerIn(model));
  try {
    const told = (done: number): void => ctx.progress({ done, total: texts.length, unit: 'texts' });
    const tokens = await write(
      encoded.map(({ ids }) => ids),
      longest,
      told,
    );
    const answers = new Map<number, string>();
    for (const [i, text] of texts.entries()) answers.set(text, await decode(tokens[i] ?? []));
    return { texts: answers, sample: { prompt: prompts[0] ?? '', text: (answers.get(first) ?? '').trim() } };
  } finally {
    await release();
  }
};

/** How what was written compares with the right answers, at the first answer about each text. */
export const writtenColumns = (
  { texts }: Pick<WrittenAnswers, 'texts'>,
  test: readonly Example[],
  answers: Answers,
): WrittenColumns => {
  const blank = (): Int32Array => new Int32Array(answerCount(answers));
  const [written, exact, edits, words] = [blank(), blank(), blank(), blank()];
  const met = new Set<number>();
  for (const sequence of answers.examples.keys()) {
    const text = textNumber(answers.examples, sequence);
    const [start = 0, end = 0] = answers.starts.subarray(sequence, sequence + 2);
    const answer = texts.get(text);
    if (met.has(text) || start === end || answer === undefined) continue;
    met.add(text);
    const compared = compareAnswers(answer, test[text]?.pair ?? '');
    written[start] = 1;
    exact[start] = Number(compared.exact);
    edits[start] = compared.edits;
    words[start] = compared.words;
  }
  return { written, exact, edits, words };
};
