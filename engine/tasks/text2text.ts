import { idTargets } from '../../data/answer-targets.ts';
import { dataError } from '../../data/errors.ts';
import { modelError } from '../../ground/errors.ts';
import { taskReading } from '../../ground/tasks.ts';
import { type Model, tokensIn } from '../../models/model.ts';
import { endTokenOf } from '../../models/special-tokens.ts';
import { type Encoded, tokensOf } from '../encoded.ts';
import { wholeTexts } from '../read.ts';
import type { Task } from './task.ts';
import { textGeneration } from './text-generation.ts';

const named = taskReading('source');

type Writer = Pick<Model, 'tokenizer' | 'info'>;

/** What answers begin behind: the token that the model names for it, or the one that ends texts. */
export const startOf = (model: Writer): number => {
  const start = tokensIn(model.info.processor).start ?? endTokenOf(model)?.id;
  if (start !== undefined) return start;
  throw modelError(
    'the model names no token that answers begin with (decoder_start_token_id), and none that texts end with',
  );
};

/** Tokens of an answer, its end included, as far as it fits. */
const asked = (model: Writer, ids: Int32Array, start: number, maxLength: number): Int32Array => {
  const own = ids[0] === start ? ids.subarray(1) : ids;
  const end = endTokenOf(model)?.id;
  const added = end === undefined || own.at(-1) === end ? [] : [end];
  return Int32Array.from([...own, ...added]).subarray(0, maxLength);
};

/** A source whose answer begins: its first token is asked for, behind nothing but what answers begin with. */
export const withStart = (source: Encoded, start: number): Encoded => ({
  ...source,
  byRole: { ...source.byRole, written: Int32Array.of(start) },
  places: Int32Array.of(0),
});

/** An answer as it is taught: each of its tokens is asked for behind those before it. */
const withAnswer = (source: Encoded, next: Int32Array, start: number): Encoded => ({
  ...source,
  byRole: { ...source.byRole, written: Int32Array.from([start, ...next.subarray(0, -1)]), next },
  places: Int32Array.from(next.keys()),
});

/** Texts that are answered by texts, a token after the other: judged by how surprising the right answer is, and by what is written. */
export const text2text: Task = {
  ...textGeneration,
  name: named,
  encode: async (model, texts, maxLength, signal) => {
    const pairs = texts.map((one, i) => {
      if (typeof one !== 'string' && one.pair !== undefined) return { text: one.text, pair: one.pair };
      const text = typeof one === 'string' ? one : one.text;
      throw dataError(
        'no-answer',
        `text ${i + 1} (${JSON.stringify(text.slice(0, 60))}) has no answer: data for ${named} are pairs of texts`,
      );
    });
    const start = startOf(model);
    const sources = await wholeTexts(
      model,
      pairs.map(({ text }) => text),
      maxLength,
      signal,
    );
    const answers = await wholeTexts(
      model,
      pairs.map(({ pair }) => pair),
      maxLength,
      signal,
    );
    return sources.map((source, i) => {
      const ids = Int32Array.from(tokensOf(answers[i] ?? source));
      return withAnswer(source, asked(model, ids, start, maxLength), start);
    });
  },
  ask: async (model, texts) => {
    const sources = await wholeTexts(
      model,
      texts.map((one) => (typeof one === 'string' ? one : one.text)),
      model.info.maxLength,
    );
    const start = startOf(model);
    return sources.map((source) => withStart(source, start));
  },
  targets: (_, encoded) => idTargets(encoded.flatMap(({ byRole }) => Array.from(byRole.next ?? []))),
  fit: (model) => {
    if (model.info.task === named) return model;
    throw modelError(
      `the model is made for ${model.info.task}, the data for ${named}: start from an encoder-decoder, or from random weights (architecture: { uses: t5 })`,
    );
  },
};
