import type { Dataset } from '../../data/dataset.ts';
import { tokenizerOf } from '../../data/tokenize.ts';
import { textWriter } from '../../data/tokenizers/decode.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { chooser } from '../../engine/generation/choose.ts';
import { openWriter, written } from '../../engine/generation/generate.ts';
import type { WrittenSample } from '../../ground/reported/evaluation.ts';
import { type Model, tokenizerIn } from '../../models/model.ts';
import { endTokenOf } from '../../models/special-tokens.ts';

/** Words of the first test text that are written on. */
const WORDS = 8;
const NEW_TOKENS = 48;

/** Drawn, since what is most probable goes round in circles, and the same again from the same scores. */
const drawing = { temperature: 0.8, topP: 0.95 } as const;

/** How a decoder writes on the beginning of a text that it was not trained on; undefined where there is none. */
export const sampleOf = async (
  model: Model,
  { test: [first] }: Pick<Dataset, 'test'>,
  { threads, signal }: { readonly threads: number; readonly signal: AbortSignal },
): Promise<WrittenSample | undefined> => {
  if (first === undefined) return undefined;
  const prompt = first.pair === undefined ? first.text.split(/\s+/).slice(0, WORDS).join(' ') : first.text;
  const { ids } = await tokenizerOf(tokenizerIn(model)).encode(prompt, model.info.maxLength - 1);
  const writer = await openWriter(model, cpuEngine, threads);
  const most = Math.min(NEW_TOKENS, model.info.maxLength - ids.length);
  const end = endTokenOf(model)?.id;
  const text = await textWriter(tokenizerIn(model), [...ids]);
  const pieces: string[] = [];
  try {
    for await (const id of written(writer, { prompt: ids, most, choose: chooser(drawing, 0), end, signal })) {
      if (id !== end) pieces.push(await text.add(id));
    }
  } finally {
    await writer.program.release();
  }
  return { prompt, text: `${pieces.join('')}${await text.rest()}` };
};
