import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Dataset } from '../../data/dataset.ts';
import { textGeneration } from '../../engine/tasks/text-generation.ts';
import { train } from '../../engine/train.ts';
import { withCache } from '../../models/cache.ts';
import type { Imported } from '../../models/importers/importer.ts';
import { importModel } from '../../models/importers/index.ts';
import type { Model } from '../../models/model.ts';
import { encodeExamples } from '../../stages/train/examples.ts';
import { exportInto } from '../clients/rig.ts';
import { distillation } from '../engine/imitating.ts';
import { tinyOptions, tinyRequest } from '../engine/rig.ts';
import { workspace } from '../rig/workspace.ts';
import { goldenDecoder, goldenFolder, optimumDecoder, slimmed } from './golden.ts';
import { scoresOf } from './scores.ts';
import { dataset } from './tiny.ts';

/** Sums in another order, over scores of up to 10. */
const ROUNDING = 1e-5;

const rows = [
  [0, 40, 77, 12, 200, 41, 9, 140],
  [0, 7, 99, 180],
];

const space = workspace();
afterAll(() => space[Symbol.dispose]());

/** A graph of another maker that remembers nothing, with words of its own. */
const withoutPast = async (config: object): Promise<Imported> => {
  const words = Array.from({ length: 40 }, (_, i) => [i === 0 ? '<|endoftext|>' : `w${i}`, i]);
  const json = {
    ...{ version: '1.0', truncation: null, padding: null, normalizer: null, post_processor: null, decoder: null },
    added_tokens: [
      {
        id: 0,
        content: '<|endoftext|>',
        special: true,
        ...{ single_word: false, lstrip: false, rstrip: false, normalized: false },
      },
    ],
    pre_tokenizer: { type: 'WhitespaceSplit' },
    model: { type: 'WordLevel', vocab: Object.fromEntries(words), unk_token: '<|endoftext|>' },
  };
  space.write('gpt/tokenizer.json', JSON.stringify(json));
  space.write('gpt/config.json', JSON.stringify(config));
  cpSync(join(goldenFolder, '../exports/gpt2-ts.onnx'), space.path('gpt/model.onnx'));
  return await importModel(space.path('gpt/model.onnx'), '/');
};

const short: Dataset = { ...dataset, train: dataset.train.slice(0, 16), validation: dataset.validation.slice(0, 2) };

describe('a decoder that another maker exported', () => {
  it('writes texts, keeps what it remembers through cuts, and is exported with it', async () => {
    const model = await optimumDecoder(space);
    expect(model.info).toMatchObject({ task: 'text-generation', modelType: 'llama', maxLength: 64 });
    expect(model.info.dimensions).toEqual({ hidden: 16, layers: 2, heads: 4, kvHeads: 2, ffn: 20, vocabulary: 258 });
    const all = (one: Model) => scoresOf(one, rows, (scores) => scores);
    const [mine, theirs] = [(await all(model)).flat(2), (await all(await goldenDecoder('llama'))).flat(2)];
    expect(Math.max(...mine.map((x, i) => Math.abs(x - (theirs[i] ?? Number.NaN))))).toBeLessThan(ROUNDING);
    const slim = slimmed(model);
    expect(slim.info.signature.states.map(({ axes }) => axes)).toEqual(Array(4).fill(['batch', 1, 'past', 4]));
    // Checked in there: in pieces and behind padding.
    await exportInto(space.folder, 'slim', slim, ['fp32', 'q8']);
  });

  it('learns from one that reads along, both of which have read nothing before', async () => {
    const [student, teacher] = [await optimumDecoder(space), await goldenDecoder('qwen2')];
    const reading = { model: student, task: textGeneration, dataset: short };
    const { summary } = await train(
      tinyRequest({
        ...{ model: student, task: textGeneration },
        options: { ...tinyOptions, tokenDropout: 0, learningRate: 1e-2, headLearningRate: 1e-2, batch: 8, epochs: 3 },
        phases: [
          { losses: [distillation({ beside: { model: await optimumDecoder(space) } })], until: 0.5 },
          { losses: [distillation({ beside: { model: teacher } })], until: 1 },
        ],
        examples: await encodeExamples('training', short.train, reading),
        validation: await encodeExamples('validation', short.validation, reading),
      }),
    );
    const [first = 1, last = 1] = [summary.curve[0]?.loss, summary.curve.at(-1)?.loss];
    expect(first).toBeLessThan(1e-3);
    expect(last).toBeGreaterThan(first);
  });

  it('that remembers nothing is read where its config says that it writes, and not written on', async () => {
    const model = await withoutPast({ model_type: 'gpt2', architectures: ['GPT2LMHeadModel'] });
    expect(model.info).toMatchObject({ task: 'text-generation', modelType: 'gpt2' });
    expect(model.remarks).toContainEqual(
      expect.stringMatching(/^it has no past and present: .+ need a file that has them$/),
    );
    expect(() => withCache(model)).toThrow(/take an ONNX file that has past and present \(optimum: --task/);
    await expect(withoutPast({ model_type: 'gpt2' })).rejects.toThrow(
      /predicts tokens, and nothing says of which kind/,
    );
  });
});
