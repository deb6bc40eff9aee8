import { join } from 'node:path';
import * as library from '@huggingface/transformers';
import {
  AutoModel,
  AutoModelForCausalLM,
  AutoModelForMaskedLM,
  AutoModelForSequenceClassification,
  AutoModelForTokenClassification,
  AutoTokenizer,
  env,
  PreTrainedTokenizer,
  pipeline,
} from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rowOf } from '../../data/rows.ts';
import { InferenceSession, Tensor } from '../../engine/engines/onnxruntime/native.ts';
import { predict } from '../../engine/predict.ts';
import { multiLabel } from '../../engine/tasks/multi-label.ts';
import { modelTask, type TaskName } from '../../ground/tasks.ts';
import { readModel } from '../../models/files.ts';
import { clientOptions, onnxFile, precisions } from '../../models/precision.ts';
import { configJson } from '../../stages/export/config.ts';
import { clientClassOf, families, tokenizerClasses } from '../../stages/export/families.ts';
import { toldSet } from '../rig/told.ts';
import { workspace } from '../rig/workspace.ts';
import {
  type Best,
  bestOf,
  clientModel,
  encoderFamilies,
  exportInto,
  ownOutputs,
  ROUNDING,
  type TextTask,
  TIE,
  tasks,
  texts,
} from './rig.ts';

const space = workspace();
const folders: Partial<Record<TaskName, string>> = {};
beforeAll(async () => {
  env.allowRemoteModels = false;
  for (const task of tasks) folders[task] = await exportInto(space.folder, task, clientModel(task), precisions);
});
afterAll(() => space[Symbol.dispose]());

const folderOf = (task: TaskName): string => folders[task] ?? '';

interface Said {
  readonly label: string;
  readonly score: number;
}

/** Labels agree wherever the two best are apart, and scores of the same bytes everywhere. */
const expectSame = (said: readonly Said[], own: readonly Best[], labels: readonly string[]): void => {
  expect(said.length).toBe(own.length);
  own.forEach(({ index, score, margin }, i) => {
    if (margin > TIE) expect(said[i]?.label).toBe(labels[index]);
    expect(Math.abs((said[i]?.score ?? 0) - score)).toBeLessThan(ROUNDING);
  });
  expect(own.filter(({ margin }) => margin > TIE).length).toBeGreaterThan(own.length / 2);
};

describe.each(precisions)('transformers.js in Node, %s', (dtype) => {
  it('classifies texts as decant does', async () => {
    const folder = folderOf('text-classification');
    const own = (await ownOutputs(folder, dtype, texts)).map(([row = []]) => bestOf(row));
    const run = await pipeline('text-classification', folder, clientOptions(dtype));
    const said: Said[] = [];
    for (const text of texts) said.push(...[await run(text)].flat(2));
    await run.dispose();
    expectSame(said, own, clientModel('text-classification').info.labels);
  });

  it('says of every class what decant says, where a text has several', async () => {
    const folder = folderOf('multi-label');
    const model = await readModel(folder, { precision: dtype });
    const own = await predict({
      ...{ model, examples: await multiLabel.encode(model, texts, model.info.maxLength) },
      ...{ threads: 1, batching: 'single' },
    });
    const run = await pipeline('text-classification', folder, clientOptions(dtype));
    for (const [i, text] of texts.entries()) {
      const said = [await run(text, { top_k: null })].flat(2);
      const { classes } = toldSet(multiLabel.tell(rowOf(own.rows, i), model.info.labels, model.info.processor));
      expect(said.length).toBe(classes.length);
      // Transformers.js knows one half: more than one class may be above it, or none.
      expect(new Set(said.filter(({ score }) => score > 0.5).map(({ label }) => label))).toEqual(
        new Set(classes.filter((one) => one.said).map(({ label }) => label)),
      );
      for (const { label, probability } of classes) {
        const score = said.find((one) => one.label === label)?.score ?? Number.NaN;
        expect(Math.abs(score - probability)).toBeLessThan(ROUNDING);
      }
    }
    await run.dispose();
  });

  it('classifies tokens as decant does', async () => {
    const folder = folderOf('token-classification');
    const own = await ownOutputs(folder, dtype, texts);
    const run = await pipeline('token-classification', folder, clientOptions(dtype));
    for (const [i, text] of texts.entries()) {
      const said = [await run(text, { ignore_labels: [] })].flat(2);
      const rows = (own[i] ?? []).slice(1, -1).map(bestOf);
      expectSame(
        said.map(({ entity, score }) => ({ label: String(entity), score })),
        rows,
        clientModel('token-classification').info.labels,
      );
    }
    await run.dispose();
  });

  it('fills masks as decant does', async () => {
    const folder = folderOf('fill-mask');
    const masked = ['the [MASK] sleeps quietly', 'a small bird [MASK]', 'the small [MASK]', 'a [MASK] sleeps'];
    const own = await ownOutputs(folder, dtype, masked);
    const run = await pipeline('fill-mask', folder, clientOptions(dtype));
    const said = [];
    for (const text of masked) said.push(...[await run(text, { top_k: 1 })].flat(2));
    await run.dispose();
    const places = [2, 4, 3, 2];
    const rows = own.map((row, i) => bestOf(row[places[i] ?? 0] ?? []));
    expectSame(
      said.map(({ token, score }) => ({ label: String(token), score })),
      rows,
      Array.from({ length: 1000 }, (_, id) => String(id)),
    );
  });

  it('extracts the features that decant extracts', async () => {
    const folder = folderOf('features');
    const own = await ownOutputs(folder, dtype, texts);
    const run = await pipeline('feature-extraction', folder, clientOptions(dtype));
    for (const [i, text] of texts.entries()) {
      const { data, dims } = await run(text);
      const expected = (own[i] ?? []).flat();
      expect(dims).toEqual([1, own[i]?.length, 64]);
      const found = Array.from(data, Number);
      expect(Math.max(...expected.map((x, j) => Math.abs(x - (found[j] ?? Number.NaN))))).toBeLessThan(ROUNDING);
    }
    await run.dispose();
  });

  it('reads ONNX files that run at any batch and length, in ONNX Runtime alone', async () => {
    for (const task of tasks) {
      const session = await InferenceSession.create(join(folderOf(task), onnxFile(dtype)), { intraOpNumThreads: 1 });
      expect(session.inputNames).toEqual(['input_ids', 'attention_mask']);
      expect(session.outputNames).toEqual([task === 'features' ? 'last_hidden_state' : 'logits']);
      for (const dims of [
        [1, 1],
        [2, 5],
        [7, 32],
      ] as const) {
        const size = dims[0] * dims[1];
        const outputs = await session.run({
          input_ids: new Tensor(
            'int64',
            BigInt64Array.from({ length: size }, (_, i) => BigInt(5 + (i % 20))),
            dims,
          ),
          attention_mask: new Tensor('int64', new BigInt64Array(size).fill(1n), dims),
        });
        const [output] = Object.values(outputs);
        expect(output?.dims.slice(0, -1)).toEqual(
          modelTask(task).about === 'text' && task !== 'features' ? [dims[0]] : [...dims],
        );
        expect(Array.from(output?.data ?? [], Number).every(Number.isFinite)).toBe(true);
      }
      await session.release();
    }
  });
});

describe('the classes that folders name', () => {
  const auto = {
    features: AutoModel,
    'text-classification': AutoModelForSequenceClassification,
    'token-classification': AutoModelForTokenClassification,
    'named-entities': AutoModelForTokenClassification,
    'multi-label': AutoModelForSequenceClassification,
    score: AutoModelForSequenceClassification,
    'fill-mask': AutoModelForMaskedLM,
    'text-generation': AutoModelForCausalLM,
  } as const;
  const encoders = Object.fromEntries(encoderFamilies);
  const classIn = (task: TextTask, modelType: string): string | undefined =>
    auto[task].MODEL_CLASS_MAPPINGS.map((mapping) => mapping.get(modelType)).find((found) => found !== undefined);

  const readers = Object.keys(encoders);
  const writers = Object.keys(families).filter((modelType) => families[modelType]?.decodes === true);

  it('are those of transformers.js for decoders, which it has nothing else for here', () => {
    expect(writers.length).toBeGreaterThan(2);
    for (const modelType of writers) {
      const client = clientClassOf({ modelType, task: 'text-generation' });
      expect(client.architecture).toBe(classIn('text-generation', client.modelType));
      expect(() => clientClassOf({ modelType, task: 'features' })).toThrow(
        `models of type '${modelType}' are exported for text-generation alone; this one is for features`,
      );
    }
  });

  it.each(tasks)('are those of transformers.js for %s', (task) => {
    const known = readers.map((modelType) => [modelType, classIn(task, modelType)]);
    const missing = Object.entries(encoders)
      .filter(([, family]) => family.missing?.includes(modelTask(task).about))
      .map(([modelType]) => modelType);
    expect(known.filter(([, found]) => found === undefined).map(([modelType]) => modelType)).toEqual(missing);
    for (const modelType of readers) {
      const found = clientClassOf({ modelType, task });
      expect(found.architecture).toBe(classIn(task, found.modelType));
    }
  });

  it('make token types where the table says so', () => {
    const { tokenizer } = clientModel('features');
    for (const [name, { types }] of Object.entries(tokenizerClasses)) {
      const found: unknown = Reflect.get(library, name);
      if (typeof found !== 'function') throw new Error(`transformers.js has no class ${name}`);
      const made: unknown = Reflect.construct(found, [tokenizer, {}]);
      expect(made).toBeInstanceOf(PreTrainedTokenizer);
      expect([name, Reflect.get(Object(made), 'return_token_type_ids')]).toEqual([name, types]);
    }
  });

  it.each(tasks)('are what transformers.js loads a folder as, for %s', async (task) => {
    const folder = await exportInto(space.folder, `every ${task}`, clientModel(task));
    for (const modelType of readers) {
      const { info, tokenizer } = clientModel(task, { info: { modelType, checkpoint: { model_type: modelType } } });
      space.write(`every ${task}/config.json`, JSON.stringify(configJson(info, tokenizer, ['fp32', 'q8'])));
      const client = await auto[task].from_pretrained(folder);
      expect(client.constructor.name).toBe(clientClassOf(info).architecture);
      await client.dispose();
    }
  });

  it('are refused by name where transformers.js has none', async () => {
    const model = clientModel('features', { info: { modelType: 'bloom' } });
    await expect(exportInto(space.folder, 'unknown', model)).rejects.toThrow(
      "transformers.js is not known to load models of type 'bloom'; export writes albert, bert, ",
    );
  });
});

describe('a model that is told the texts of a pair apart', () => {
  const pairs = [
    { text: 'the cat sleeps', pair: 'a small bird sings' },
    { text: 'a small bird sings', pair: 'the cat sleeps' },
  ];

  it.each([
    ['no tokenizer class', {}],
    ['a class that makes no token types', { tokenizer_class: 'TokenizersBackend' }],
    ['its own', { tokenizer_class: 'ElectraTokenizerFast' }],
  ] as const)('gets token types in transformers.js though its checkpoint names %s', async (name, tokenizerConfig) => {
    const info = { modelType: 'bert', checkpoint: { model_type: 'bert' }, tokenizerConfig };
    const model = clientModel('text-classification', { types: true, info });
    const folder = await exportInto(space.folder, `pairs ${name}`, model);
    const [tokenizer, client] = [
      await AutoTokenizer.from_pretrained(folder),
      await AutoModelForSequenceClassification.from_pretrained(folder, { dtype: 'fp32' }),
    ];
    for (const one of pairs) {
      const encoded = tokenizer(one.text, { text_pair: one.pair, padding: true, truncation: true });
      const { logits } = await client(encoded);
      const [[own = []] = []] = await ownOutputs(folder, 'fp32', [one]);
      const found: readonly number[] = Array.from(logits.data, Number);
      expect(Math.max(...own.map((x, i) => Math.abs(x - (found[i] ?? Number.NaN))))).toBeLessThan(ROUNDING);
    }
    await client.dispose();
  });

  it('says something else when they change places', async () => {
    const model = clientModel('text-classification', { types: true });
    const folder = await exportInto(space.folder, 'order', model);
    const [[first = []] = [], [second = []] = []] = await ownOutputs(folder, 'fp32', pairs);
    expect(Math.max(...first.map((x, i) => Math.abs(x - (second[i] ?? x))))).toBeGreaterThan(ROUNDING);
  });
});
