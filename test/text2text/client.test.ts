import { AutoModelForSeq2SeqLM, AutoTokenizer, env, Tensor } from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tokenizerOf } from '../../data/tokenize.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { answered, openAnswerWriter, releaseAnswerWriter } from '../../engine/generation/answer.ts';
import { chooser } from '../../engine/generation/choose.ts';
import { readModel } from '../../models/files.ts';
import { tokenizerIn } from '../../models/model.ts';
import { clientOptions, type Precision } from '../../models/precision.ts';
import { exportInto } from '../clients/rig.ts';
import { workspace } from '../rig/workspace.ts';
import { tinyT5 } from './tiny.ts';

const NEW_TOKENS = 10;
const sources = ['a b c', 'h g f e d c b', 'e'];

const space = workspace();
beforeAll(() => {
  env.allowRemoteModels = false;
});
afterAll(() => space[Symbol.dispose]());

/** Tokens that decant answers a source with. */
const own = async (folder: string, precision: Precision): Promise<readonly (readonly number[])[]> => {
  const model = await readModel(folder, { precision });
  const writer = await openAnswerWriter(model, cpuEngine, 1);
  const all: number[][] = [];
  for (const text of sources) {
    const { ids } = await tokenizerOf(tokenizerIn(model)).encode(text, 100);
    const made: number[] = [];
    const writing = { source: ids, most: NEW_TOKENS, choose: chooser({}, 0), end: undefined };
    for await (const id of answered(writer, writing)) made.push(id);
    all.push(made);
  }
  await releaseAnswerWriter(writer);
  return all;
};

/** The same of transformers.js, of some sources in one batch, the shorter ones in front of padding. */
const theirs = async (
  folder: string,
  precision: Precision,
  batches: readonly (readonly string[])[],
): Promise<readonly (readonly number[])[]> => {
  const tokenizer = await AutoTokenizer.from_pretrained(folder);
  const model = await AutoModelForSeq2SeqLM.from_pretrained(folder, clientOptions(precision));
  const all: number[][] = [];
  for (const batch of batches) {
    const asked = tokenizer([...batch], { padding: true });
    const made = await model.generate({
      ...asked,
      ...{ max_new_tokens: NEW_TOKENS, do_sample: false, eos_token_id: 299_999 },
    });
    if (!(made instanceof Tensor)) throw new Error('no tokens were generated');
    const width = made.dims[1] ?? 0;
    const tokens = Array.from(made.data, Number);
    for (const row of batch.keys()) all.push(tokens.slice(row * width + 1, (row + 1) * width));
  }
  await model.dispose();
  return all;
};

describe('an exported encoder-decoder', () => {
  it.each([
    ['tied', tinyT5()],
    ['a matrix of its own, and one layer that writes', tinyT5({ tied: false, decoderLayers: 1 })],
  ] as const)('answers with the same tokens in transformers.js and in decant: %s', async (name, model) => {
    const folder = await exportInto(space.folder, name, model, ['fp32', 'q8']);
    const wanted = await own(folder, 'fp32');
    expect(await theirs(folder, 'fp32', [sources])).toEqual(wanted);
    const rounded = await own(folder, 'q8');
    expect(
      await theirs(
        folder,
        'q8',
        sources.map((source) => [source]),
      ),
    ).toEqual(rounded);
    if (name !== 'tied') expect(new Set(wanted.flat()).size).toBeGreaterThan(2);
  });
});
