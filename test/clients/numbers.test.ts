import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AutoModelForSequenceClassification, AutoTokenizer, env, pipeline } from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { predict } from '../../engine/predict.ts';
import { score } from '../../engine/tasks/score.ts';
import { readModel } from '../../models/files.ts';
import { workspace } from '../rig/workspace.ts';
import { clientModel, exportInto, ROUNDING, texts } from './rig.ts';

const precisions = ['fp32', 'q8'] as const;
const space = workspace();

beforeAll(async () => {
  env.allowRemoteModels = false;
  const { info } = clientModel('score');
  const squashed = { info: { processor: { ...info.processor, activation: 'sigmoid' } } } as const;
  await exportInto(space.folder, 'plain', clientModel('score'));
  await exportInto(space.folder, 'squashed', clientModel('score', squashed));
});
afterAll(() => space[Symbol.dispose]());

/** What the card of the folder says that a client has to compute of the logit. */
const formulaIn = (folder: string): ((logit: number) => number) => {
  const [, formula = ''] = /console\.log\((.*)\);/.exec(readFileSync(join(folder, 'README.md'), 'utf8')) ?? [];
  if (formula === 'logits.data[0]') return (logit) => logit;
  expect(formula).toBe('1 / (1 + Math.exp(-logits.data[0]))');
  return (logit) => 1 / (1 + Math.exp(-logit));
};

describe.each(precisions)('a number in transformers.js in Node, %s', (dtype) => {
  it.each(['plain', 'squashed'])('is what decant says of texts and of pairs: %s', async (name) => {
    const folder = join(space.folder, name);
    const formula = formulaIn(folder);
    const model = await readModel(folder, { precision: dtype });
    const inputs = [...texts.map((text) => ({ text })), { text: texts[0] ?? '', pair: texts[1] ?? '' }];
    const own = await predict({
      ...{ model, examples: await score.encode(model, inputs, model.info.maxLength) },
      ...{ threads: 1, batching: 'single' },
    });
    const tokenizer = await AutoTokenizer.from_pretrained(folder);
    const client = await AutoModelForSequenceClassification.from_pretrained(folder, { dtype });
    for (const [i, input] of inputs.entries()) {
      const pair = 'pair' in input ? input.pair : null;
      const { logits } = await client(tokenizer(input.text, { text_pair: pair, truncation: true }));
      expect(logits.dims).toEqual([1, 1]);
      expect(Math.abs(formula(logits.data[0]) - (own.rows.data[i] ?? Number.NaN))).toBeLessThan(ROUNDING);
    }
    await client.dispose();
  });

  it('is no answer of the pipeline for classes, as the card says', async () => {
    const folder = join(space.folder, 'plain');
    const run = await pipeline('text-classification', folder, { dtype });
    const said = [await run(texts[0] ?? '')].flat(2);
    await run.dispose();
    expect(said).toEqual([{ label: 'LABEL_0', score: 1 }]);
    expect(readFileSync(join(folder, 'README.md'), 'utf8')).toContain("Not pipeline('text-classification', ...)");
  });
});

describe('config.json of a folder that gives a number', () => {
  it.each([
    ['plain', { problem_type: 'regression' }, 'torch.nn.modules.linear.Identity'],
    ['squashed', {}, 'torch.nn.modules.activation.Sigmoid'],
  ])('says to Python what becomes of it: %s', (name, problem, activation_fn) => {
    const { problem_type, id2label, label2id, sentence_transformers } = JSON.parse(
      readFileSync(join(space.folder, name, 'config.json'), 'utf8'),
    );
    expect({ ...(problem_type === undefined ? {} : { problem_type }) }).toEqual(problem);
    expect({ id2label, label2id, sentence_transformers }).toEqual({
      ...{ id2label: { 0: 'LABEL_0' }, label2id: { LABEL_0: 0 } },
      sentence_transformers: { activation_fn },
    });
  });
});
