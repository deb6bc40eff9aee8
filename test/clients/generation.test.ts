import { AutoModelForCausalLM, AutoTokenizer, env, Tensor } from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tokenizerOf } from '../../data/tokenize.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { chooser } from '../../engine/generation/choose.ts';
import { openWriter, written } from '../../engine/generation/generate.ts';
import { readModel } from '../../models/files.ts';
import { type Model, tokenizerIn } from '../../models/model.ts';
import { clientOptions, type Precision } from '../../models/precision.ts';
import { goldenDecoders, slimDecoder } from '../decoders/golden.ts';
import { tinyDecoder } from '../decoders/tiny.ts';
import { workspace } from '../rig/workspace.ts';
import { exportInto } from './rig.ts';

const NEW_TOKENS = 12;
const prompts = ['the old dog', 'quietly and small bird runs'];

const space = workspace();
beforeAll(() => {
  env.allowRemoteModels = false;
});
afterAll(() => space[Symbol.dispose]());

/** How much is held against tokens that were written: tiny models of random weights else repeat themselves. */
type Repetition = number;

/** Tokens that decant writes behind a prompt. */
const own = async (
  folder: string,
  precision: Precision,
  [prompt, repetition]: readonly [string, Repetition],
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

/** The same of transformers.js, all prompts in one batch, the shorter ones behind padding. */
const theirs = async (
  folder: string,
  precision: Precision,
  [asking, repetition]: readonly [readonly string[], Repetition],
): Promise<readonly (readonly number[])[]> => {
  const tokenizer = await AutoTokenizer.from_pretrained(folder);
  const model = await AutoModelForCausalLM.from_pretrained(folder, clientOptions(precision));
  const asked = tokenizer([...asking], { padding: true });
  const settings = {
    max_new_tokens: NEW_TOKENS,
    do_sample: false,
    eos_token_id: 299_999,
    repetition_penalty: repetition,
  };
  const made = await model.generate({ ...asked, ...settings });
  await model.dispose();
  if (!(made instanceof Tensor)) throw new Error('no tokens were generated');
  const width = made.dims[1] ?? 0;
  const all = Array.from(made.data, Number);
  return asking.map((_, row) => all.slice((row + 1) * width - NEW_TOKENS, (row + 1) * width));
};

/** Numbers in 8 bits are scaled by all that is read together: those are asked one by one. */
const passesOf = (precision: Precision): readonly (readonly string[])[] =>
  precision === 'q8' ? prompts.map((prompt) => [prompt]) : [prompts];

/** Both write the same behind each prompt, and no text of one token. */
const expectSame = async (
  name: string,
  model: Model,
  { precisions, repetition }: { readonly precisions: readonly Precision[]; readonly repetition: Repetition },
): Promise<void> => {
  const folder = await exportInto(space.folder, name, model, precisions);
  for (const precision of precisions) {
    const wanted = await Promise.all(prompts.map((prompt) => own(folder, precision, [prompt, repetition])));
    expect(new Set(wanted.flat()).size).toBeGreaterThan(2);
    const found: (readonly number[])[] = [];
    for (const pass of passesOf(precision)) found.push(...(await theirs(folder, precision, [pass, repetition])));
    expect(found).toEqual(wanted);
  }
};

describe('an exported decoder', () => {
  it.each([
    ['heads in groups, tied', tinyDecoder()],
    ['a head of keys each, with a matrix of its own', tinyDecoder({ kvHeads: 4, tied: false })],
  ] as const)('writes the same tokens in transformers.js and in decant: %s', async (name, model) => {
    await expectSame(name, model, { precisions: ['fp32', 'q4'], repetition: 1 });
  });

  /** One of each architecture, and those that are laid out otherwise. */
  const kinds = goldenDecoders.filter((name) => !/-(untied|plain)$/.test(name));

  it.each(kinds)('writes the same tokens in both where it is what was cut out of %s', async (name) => {
    await expectSame(name, await slimDecoder(name), { precisions: ['fp32', 'q8'], repetition: 1.5 });
  });
});
