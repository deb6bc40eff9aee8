import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { predict } from '../../engine/predict.ts';
import { score } from '../../engine/tasks/score.ts';
import { importModel } from '../../models/importers/index.ts';
import type { Model } from '../../models/model.ts';
import { workspace } from '../rig/workspace.ts';
import { expectedOf, goldenFolder } from './golden-checkpoints.ts';
import { readTensors, writeTensors } from './safetensors-file.ts';

/** As the golden checkpoints are compared with PyTorch. */
const TOLERANCE = 1e-4;

const space = workspace();
const folder = space.path('model');
const expected = expectedOf('bert');
const CLASSES = expected.dims[1] ?? 0;

type Json = Readonly<Record<string, unknown>>;

const jsonIn = (file: string): Json => JSON.parse(readFileSync(`${folder}/${file}`, 'utf8'));

/** The classifier of three classes with one of them left: PyTorch's logit of that class is the number. */
const keepOne = (): void => {
  const path = `${folder}/model.safetensors`;
  const tensors = readTensors(path);
  for (const name of ['classifier.weight', 'classifier.bias']) {
    const { dims, data } = tensors.get(name) ?? { dims: [], data: new Float32Array() };
    tensors.set(name, { dims: [1, ...dims.slice(1)], data: data.slice(0, data.length / CLASSES) });
  }
  writeTensors(path, tensors);
};

beforeEach(() => {
  rmSync(folder, { recursive: true, force: true });
  cpSync(goldenFolder('bert'), folder, { recursive: true });
  keepOne();
});
afterAll(() => space[Symbol.dispose]());

const config = (changes: Json): void => {
  const { problem_type: _, ...json } = jsonIn('config.json');
  const one = { id2label: { 0: 'LABEL_0' }, label2id: { LABEL_0: 0 } };
  writeFileSync(`${folder}/config.json`, JSON.stringify({ ...json, ...one, ...changes }));
};

/** As CrossEncoder.save_pretrained writes a folder. */
const asCrossEncoder = (said: Json): void => {
  const type = 'sentence_transformers.base.modules.transformer.Transformer';
  writeFileSync(`${folder}/modules.json`, JSON.stringify([{ idx: 0, name: '0', path: '', type }]));
  writeFileSync(
    `${folder}/sentence_bert_config.json`,
    JSON.stringify({
      transformer_task: 'sequence-classification',
      modality_config: { text: { method: 'forward', method_output_name: 'logits' } },
      module_output_name: 'scores',
    }),
  );
  writeFileSync(
    `${folder}/config_sentence_transformers.json`,
    JSON.stringify({ model_type: 'CrossEncoder', prompts: {}, default_prompt_name: null, ...said }),
  );
};

const importHere = (): Promise<Model> => importModel(folder, '/', { head: 'keep' });

const failure = async (): Promise<string> => {
  try {
    await importHere();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'nothing failed';
};

const logits = expected.values.filter((_, i) => i % CLASSES === 0);
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

const identityName = 'torch.nn.modules.linear.Identity';
const sigmoidName = 'torch.nn.modules.activation.Sigmoid';

const numbersOf = async (model: Model): Promise<readonly number[]> => {
  const inputs = expected.text.map((text, i) => ({ text, pair: expected.pair?.[i] ?? '' }));
  const examples = await score.encode(model, inputs, model.info.maxLength);
  return [...(await predict({ model, examples, threads: 1, batching: 'single' })).rows.data];
};

/** What is said, where, and what becomes of the number. */
const cases: readonly (readonly [string, () => void, 'plain' | 'sigmoid'])[] = [
  ['is a regression of transformers', () => config({ problem_type: 'regression' }), 'plain'],
  ['says nothing: both clients in Python put a Sigmoid there', () => config({}), 'sigmoid'],
  [
    'is a cross-encoder that says Sigmoid',
    () => {
      config({});
      asCrossEncoder({ activation_fn: sigmoidName });
    },
    'sigmoid',
  ],
  [
    'is a cross-encoder that says Identity',
    () => {
      config({});
      asCrossEncoder({ activation_fn: identityName });
    },
    'plain',
  ],
  [
    'is a cross-encoder that says nothing, whatever its problem is',
    () => {
      config({ problem_type: 'regression' });
      asCrossEncoder({});
    },
    'sigmoid',
  ],
  [
    'says it in config.json, as cross-encoders of the hub do',
    () => config({ sentence_transformers: { activation_fn: identityName, version: '4.0.1' } }),
    'plain',
  ],
  [
    'says it as releases before the fourth did',
    () => config({ sbert_ce_default_activation_function: identityName }),
    'plain',
  ],
  [
    'says it twice: the newer place counts',
    () => {
      config({ sentence_transformers: { activation_fn: sigmoidName } });
      asCrossEncoder({ activation_fn: identityName });
    },
    'plain',
  ],
];

describe('a checkpoint that gives one number', () => {
  it.each(cases)('%s', async (_, write, kind) => {
    write();
    const model = await importHere();
    expect(model.info).toMatchObject({ task: 'score', labels: [] });
    const numbers = await numbersOf(model);
    const wanted = kind === 'plain' ? logits : logits.map(sigmoid);
    expect(numbers.length).toBe(wanted.length);
    numbers.forEach((number, i) => {
      expect(Math.abs(number - (wanted[i] ?? Number.NaN))).toBeLessThan(TOLERANCE);
    });
  });

  it.each<[string, () => void, RegExp]>([
    [
      'a function that nobody carries out',
      () => config({ sentence_transformers: { activation_fn: 'torch.nn.modules.activation.Tanh' } }),
      /^config\.json: sentence_transformers\.activation_fn is "torch\.nn\.modules\.activation\.Tanh", which decant does not put behind a number; expected torch\.nn\.modules\.linear\.Identity or torch\.nn\.modules\.activation\.Sigmoid$/,
    ],
    [
      'one of somebody',
      () => {
        config({});
        asCrossEncoder({ activation_fn: 'my.module.Squash' });
      },
      /^config_sentence_transformers\.json: activation_fn is "my\.module\.Squash"/,
    ],
    [
      'several numbers',
      () => {
        cpSync(goldenFolder('bert'), folder, { recursive: true });
        config({ problem_type: 'regression', id2label: { 0: 'a', 1: 'b', 2: 'c' }, label2id: {} });
      },
      /it has 3 outputs, a regression of several numbers/,
    ],
  ])('is refused by name where it has %s', async (_, write, message) => {
    write();
    expect(await failure()).toMatch(message);
  });

  it('is its encoder alone where a new head is asked for, whatever stood behind the old one', async () => {
    config({ sentence_transformers: { activation_fn: 'torch.nn.modules.activation.Tanh' } });
    const { info } = await importModel(folder, '/', { head: 'new' });
    expect(info.task).toBe('features');
    expect(info.processor.activation).toBeUndefined();
  });
});
