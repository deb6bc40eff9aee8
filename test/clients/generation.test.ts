import { AutoModelForCausalLM, AutoTokenizer, env, Tensor } from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Model } from '../../models/model.ts';
import { clientOptions, type Precision } from '../../models/precision.ts';
import { goldenDecoder, goldenDecoders, optimumDecoder, slimmed } from '../decoders/golden.ts';
import { tinyDecoder } from '../decoders/tiny.ts';
import { workspace } from '../rig/workspace.ts';
import { exportInto } from './rig.ts';
import { greedy, newTokens, ownTokens, prompts } from './writing.ts';

const space = workspace();
beforeAll(() => {
  env.allowRemoteModels = false;
});
afterAll(() => space[Symbol.dispose]());

/** What transformers.js writes, all prompts in one batch, the shorter ones behind padding. */
const theirs = async (
  folder: string,
  precision: Precision,
  [asking, repetition]: readonly [readonly string[], number],
): Promise<readonly (readonly number[])[]> => {
  const tokenizer = await AutoTokenizer.from_pretrained(folder);
  const model = await AutoModelForCausalLM.from_pretrained(folder, clientOptions(precision));
  const asked = tokenizer([...asking], { padding: true });
  const made = await model.generate({ ...asked, ...greedy, repetition_penalty: repetition });
  await model.dispose();
  if (!(made instanceof Tensor)) throw new Error('no tokens were generated');
  return newTokens(Array.from(made.data, Number), made.dims[1] ?? 0);
};

/** Numbers in 8 bits are scaled by all that is read together: those are asked one by one. */
const passesOf = (precision: Precision): readonly (readonly string[])[] =>
  precision === 'q8' ? prompts.map((prompt) => [prompt]) : [prompts];

/** Both write the same behind each prompt, and no text of one token. */
const expectSame = async (
  name: string,
  model: Model,
  { precisions, repetition }: { readonly precisions: readonly Precision[]; readonly repetition: number },
): Promise<void> => {
  const folder = await exportInto(space.folder, name, model, precisions);
  for (const precision of precisions) {
    const wanted = await ownTokens(folder, precision, repetition);
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
    await expectSame(name, slimmed(await goldenDecoder(name)), { precisions: ['fp32', 'q8'], repetition: 1.5 });
  });

  it('writes the same tokens in both where it was cut out of what another maker exported', async () => {
    await expectSame('onnx', slimmed(await optimumDecoder(space)), { precisions: ['fp32', 'q8'], repetition: 1.5 });
  });
});
