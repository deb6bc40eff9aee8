import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tokenizerOf } from '../../data/tokenize.ts';
import { encodedText } from '../../engine/encoded.ts';
import { feedsFor, fitted } from '../../engine/feeds.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { readGraph, writeGraph } from '../../graph/codec/index.ts';
import { symbol } from '../../graph/dim.ts';
import { type Graph, value } from '../../graph/graph.ts';
import { quantizeWeights } from '../../graph/quantize/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { parameterNames } from '../../graph/sites.ts';
import { featuresOf } from '../../models/bare/features.ts';
import { readModel } from '../../models/files.ts';
import { withClassificationHead } from '../../models/head.ts';
import type { ImportOptions } from '../../models/importers/importer.ts';
import { importModel, modelSources } from '../../models/importers/index.ts';
import { type Model, tokenizerIn } from '../../models/model.ts';
import { isQuantized } from '../../models/quantized.ts';
import { inputOf } from '../../models/signature.ts';
import { exportModels } from '../../stages/export/folder.ts';
import { trainable } from '../../stages/train/run.ts';
import { renamed } from '../rig/renamed.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';
import * as graphs from './bare-graphs.ts';
import { families, goldenFolder, importGolden } from './golden-checkpoints.ts';
import { largestDifference, outputsOf, tokenizerOfWords } from './support.ts';

/** Sums in another order. */
const NEAR = 1e-5;

const golden = join(import.meta.dirname, '../golden/exports');

/** Matrices of any size, as large models have them. */
const quantization = { embeddings: true, reduceRange: false, exclude: [], minimumTable: 1 };

/** Ids 0 and 1 are unknown and padding, as the golden exports have 40 rows. */
const words = ['[UNK]', '[PAD]', ...Array.from({ length: 38 }, (_, i) => `w${i}`)];
const tokenizer = JSON.stringify(
  tokenizerOfWords(words, [
    { id: 0, content: '[UNK]', special: true },
    { id: 1, content: '[PAD]', special: true },
  ]),
);

let space: Workspace;
beforeAll(() => {
  space = workspace();
});
afterAll(() => space[Symbol.dispose]());

/** What a model answers about two texts of different lengths. */
const answers = async (model: Model, texts: readonly string[]) => {
  const { graph, info } = model;
  const encoded = (await tokenizerOf(tokenizerIn(model)).encodeBatch(texts, info.maxLength)).map(encodedText);
  const length = Math.max(...encoded.map((one) => one.length));
  const rows = Int32Array.from(texts, (_, i) => i);
  const [numbers = []] = await outputsOf(graph, [feedsFor(info, encoded, fitted(info, { rows, length }))]);
  return numbers;
};

/** A folder of another maker: the graph alone, in onnx/, and above it what it was saved with, but for its weights. */
const foreign = async (name: string, graph: Graph): Promise<string> => {
  const folder = space.path(name);
  cpSync(goldenFolder(name), folder, { recursive: true, filter: (path) => !path.endsWith('.safetensors') });
  mkdirSync(join(folder, 'onnx'), { recursive: true });
  await writeGraph(join(folder, 'onnx', 'model.onnx'), graph);
  return join(folder, 'onnx', 'model.onnx');
};

const imported = (file: string, options: Partial<ImportOptions> = {}): Promise<Model> =>
  importModel(file, '/', { head: 'keep', ...options });

const texts = ['the cat sleeps', 'a dog runs over the old house'];

describe.each(families)('the graph of %s without what decant says of it', (name) => {
  it('is the same model: its classes, their names, and the features of a new head', async () => {
    const model = await importGolden(name);
    const file = await foreign(name, renamed(model.graph));
    const found = await imported(file);
    expect([found.info.task, found.info.labels]).toEqual([model.info.task, model.info.labels]);
    expect(found.info.processor.tokens).toEqual(model.info.processor.tokens);
    expect(found.info.maxLength).toBe(model.info.maxLength);
    expect(found.info.dimensions).toMatchObject({ layers: model.info.dimensions.layers });
    expect(largestDifference(await answers(found, texts), await answers(model, texts))).toBeLessThan(NEAR);
    const [mine, theirs] = [
      await imported(file, { head: 'new' }),
      await importModel(goldenFolder(name), '/', { head: 'new' }),
    ];
    expect(mine.info.task).toBe('features');
    expect(largestDifference(await answers(mine, texts), await answers(theirs, texts))).toBeLessThan(NEAR);
  });
});

/** The graph with sizes of its own for the mask: whatever meets it has sizes that symbols leave open. */
const withOpenSizes = (graph: Graph): Graph => {
  const mask = value('attention_mask');
  const shape = [symbol('texts'), symbol('places')];
  const builder = GraphBuilder.like({ ...graph, types: new Map(graph.types).set(mask, { dtype: 'int64', shape }) });
  for (const node of graph.nodes) builder.add(node);
  return builder.freeze(graph.outputs);
};

it('features of a new head are those of the last layer, though sizes on the way are open', async () => {
  const { graph } = await importGolden('mobilebert');
  const open = withOpenSizes(graph);
  const known = featuresOf(graph);
  expect(open.types.get(known)?.shape).not.toEqual(graph.types.get(known)?.shape);
  expect(featuresOf(open)).toBe(known);
});

let made = 0;

/** A golden export of PyTorch with a tokenizer beside it, or none. */
const exportedBy = (
  name: string,
  files: Readonly<Record<string, string>> = { 'tokenizer.json': tokenizer },
): string => {
  const own = `of-${made++}-${name}`;
  const folder = space.path(own);
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(golden, `${name}.onnx`), join(folder, 'model.onnx'));
  for (const [file, text] of Object.entries(files)) space.write(`${own}/${file}`, text);
  return join(folder, 'model.onnx');
};

const texters = readdirSync(golden).flatMap((file) =>
  /\.onnx$/.test(file) && !/^vit/.test(file) ? [file.slice(0, -5)] : [],
);

describe.each(texters)('the export %s', (name) => {
  it('takes a new head, whose batches have one size for all inputs', async () => {
    const { graph } = withClassificationHead(await imported(exportedBy(name), { head: 'new' }), ['a', 'b']);
    for (const input of graph.inputs)
      expect(graph.types.get(input)).toEqual({ dtype: 'int64', shape: ['batch', 'sequence'] });
    expect(parameterNames(graph)).toEqual(expect.arrayContaining(['classifier.weight', 'classifier.bias']));
  });
});

describe('of a graph alone', () => {
  it('the task follows from its answer', async () => {
    expect((await imported(exportedBy('bert-ts'))).info).toMatchObject({
      task: 'text-classification',
      labels: ['LABEL_0', 'LABEL_1', 'LABEL_2'],
    });
    expect((await imported(exportedBy('bert_tokens-dy'))).info.task).toBe('token-classification');
  });

  it('names of classes and of the padding come from config.json', async () => {
    const config = {
      model_type: 'bert',
      architectures: ['BertForSequenceClassification'],
      id2label: { 0: 'x', 1: 'y', 2: 'z' },
      pad_token_id: 1,
    };
    const file = exportedBy('bert-dy', {
      'tokenizer.json': tokenizer,
      'config.json': JSON.stringify(config),
      'tokenizer_config.json': JSON.stringify({ tokenizer_class: 'PreTrainedTokenizerFast' }),
    });
    const { info } = await imported(file);
    expect([info.labels, info.modelType, info.processor.tokens]).toEqual([
      ['x', 'y', 'z'],
      'bert',
      { padding: 1, unknown: 0 },
    ]);
  });

  it('inputs keep the names of the file, whatever these are', async () => {
    const file = exportedBy('distilbert-ts');
    const { graph } = await imported(file);
    await writeGraph(file, renamed(graph, true));
    const { info } = await imported(file);
    expect(inputOf(info.signature, 'tokens')).toMatch(/^v\d/);
    expect(info.signature.inputs.map(({ role }) => role)).toEqual(['tokens', 'mask']);
  });

  it('is exported under those names, which its page tells', async () => {
    const file = exportedBy('distilbert-ts');
    await writeGraph(file, renamed((await imported(file)).graph, true));
    const model = await imported(file);
    await exportModels(space.path('own-names'), new Map([['fp32', model]]), { threads: 1, results: '' });
    const { inputs } = await readGraph(space.path('own-names/onnx/model.onnx'));
    expect(inputs).toEqual(model.info.signature.inputs.map(({ name }) => name));
    const page = readFileSync(space.path('own-names/README.md'), 'utf8');
    expect(page).toMatch(/transformers\.js cannot feed it/);
    expect(page).toContain(`feeds = {"${inputs[0]}": text.ids, "${inputs[1]}": text.attention_mask}`);
    const read = await readModel(space.path('own-names'));
    expect(largestDifference(await answers(read, ['w1 w2 w3']), await answers(model, ['w1 w2 w3']))).toBeLessThan(NEAR);
  });

  it('in 8 bits it answers, and is neither trained nor taken for floats', async () => {
    const model = await importGolden('bert');
    const { graph } = quantizeWeights(fuseForInference(model.graph), quantization);
    const found = await imported(await foreign('bert', graph));
    expect([isQuantized(found.graph), found.info.task]).toEqual([true, 'text-classification']);
    expect(await answers(found, ['the cat sleeps'])).toHaveLength(3);
    const none = { train: [], unlabelled: [], validation: [], test: [], maxLength: 8 };
    const dataset = { ...none, task: 'text-classification', classes: found.info.labels } as const;
    expect(() => trainable(found, dataset)).toThrow(/the model is quantized, and integers have no gradients/);
  });

  it('a tokenizer may be elsewhere, and belongs to what an import reads', async () => {
    const file = exportedBy('electra-ts', {});
    const folder = space.write('words/tokenizer.json', tokenizer).replace('/tokenizer.json', '');
    expect((await imported(file, { tokenizer: folder })).info.task).toBe('text-classification');
    expect(await modelSources(file, '/', { head: 'keep', tokenizer: folder })).toEqual([
      file,
      join(folder, 'tokenizer.json'),
    ]);
  });

  it('external data belongs to what an import reads', async () => {
    const file = exportedBy('roberta-dy');
    const { graph } = await imported(file);
    await writeGraph(file, graph, { external: true });
    expect(await modelSources(file, '/')).toEqual([file, `${file}_data`, file.replace('model.onnx', 'tokenizer.json')]);
  });

  it.each<[string, () => string | Promise<string>, Partial<ImportOptions>, RegExp]>([
    [
      'no tokenizer',
      () => exportedBy('mpnet-dy', {}),
      {},
      /has no tokenizer beside it.+name its folder with `tokenizer: \.\/folder`/,
    ],
    [
      'a tokenizer that is not there',
      () => exportedBy('mpnet-dy'),
      { tokenizer: '/nowhere' },
      /\/nowhere holds no tokenizer/,
    ],
    ['an image', () => exportedBy('vit-ts'), {}, /'pixel_values' takes an image, which texts do not give/],
    ['words of a decoder', () => exportedBy('gpt2-ts'), {}, /predicts tokens.+'head: new' takes its features/],
    ['another output', () => exportedBy('bert-dy'), { output: 'vectors' }, /no output 'vectors'; it has logits/],
    [
      'states of an encoder',
      () => madeOf(graphs.crossDecoder()),
      {},
      /'encoder_attention_mask' takes mask of 2 axes, which texts do not give/,
    ],
    ['fixed sizes', () => madeOf(graphs.fixed()), {}, /has the fixed size \[1, 6\].+dynamic axes/],
    [
      'more tokens than rows',
      () => exportedBy('bert-dy', { 'tokenizer.json': JSON.stringify(tokenizerOfWords([...words, 'one more'])) }),
      {},
      /the embedding has 40 rows/,
    ],
  ])('is refused with what to do: %s', async (_, file, options, message) => {
    await expect(imported(await file(), options)).rejects.toThrow(message);
  });
});

const madeOf = async (graph: Graph): Promise<string> => {
  const file = space.write(`made-${graph.name}/model.onnx`, '');
  space.write(`made-${graph.name}/tokenizer.json`, JSON.stringify(tokenizerOfWords(words.slice(0, 20))));
  await writeGraph(file, graph);
  return file;
};
