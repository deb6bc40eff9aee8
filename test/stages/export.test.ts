import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env, pipeline } from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tokenizerOf } from '../../data/tokenize.ts';
import { trainByteBpe } from '../../data/tokenizers/bpe.ts';
import { unigramTokenizer } from '../../data/tokenizers/unigram.ts';
import { trainWordPiece } from '../../data/tokenizers/wordpiece.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { value } from '../../graph/graph.ts';
import { quantizeWeights } from '../../graph/quantize/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { tensorOf } from '../../graph/tensor.ts';
import type { Metrics } from '../../ground/json.ts';
import { buildEncoder } from '../../models/encoder.ts';
import { readModel, writeModel } from '../../models/files.ts';
import { type Model, tokenizerIn } from '../../models/model.ts';
import { clientOptions, onnxFile, type Precision } from '../../models/precision.ts';
import { exportStage } from '../../stages/export/index.ts';
import { batchOf, largestDifference, outputsOf, smallEncoder } from '../models/support.ts';
import { artifactOf, contextIn } from './stage-rig.ts';

/** Where the two best classes are nearer than this, rounding may choose another one. */
const TIE = 0.02;
/** Float32 probabilities of the same bytes under the same runtime: only summation order may differ. */
const ROUNDING = 1e-5;

const letters = [...'abcdefghijklmnopqrstuvwxyz0123456789.,!?:()éüß👍日本'];
const pieces = [
  ...['<unk>', '<pad>'].map((piece) => [piece, 0] as const),
  ...letters.flatMap((letter, i) => [[letter, -8 - i / 10] as const, [`▁${letter}`, -7 - i / 10] as const]),
  ...['▁the', 'ing', '▁ca', 'th', 'ou', '▁', 'er'].map((piece, i) => [piece, -3 - i / 10] as const),
];
const labels = ['animal', 'motion', 'rest', 'a "quoted", odd/label'];

const texts = [
  'the cat is sleeping',
  'running!',
  ' ',
  'Ünïcode ﬁne ligature, １２３ 日本語 👍🏽',
  '<pad> <unk> [CLS] \u0000 \ttab\nline',
  'the thing that ought to be longer than the longest text this model allows '.repeat(3),
  ...Array.from({ length: 12 }, (_, i) => `${letters.slice(i, i + 9).join(' ')} the ${i}`),
];

const smallModel = (classes: readonly string[]): Model =>
  buildEncoder(
    {
      vocabulary: pieces.length,
      hidden: 64,
      layers: 2,
      heads: 2,
      ffn: 128,
      maxLength: 32,
      norm: 'pre',
      activation: 'relu',
      pooling: 'mean',
      labels: classes,
      dropout: 0.1,
      tokens: { padding: 1, unknown: 0 },
    },
    unigramTokenizer(pieces, { unknown: 0, reserved: 2 }),
    1,
  );

/** Tables of any size in 8 bits, so that the small model has every kind of node that ships. */
const quantization = { embeddings: true, reduceRange: false, exclude: [], minimumTable: 1 };

const quantized = (model: Model): Model => ({
  ...model,
  graph: quantizeWeights(fuseForInference(model.graph), quantization).graph,
});

/** Class probabilities, one text at a time, straight from ONNX Runtime. */
const probabilities = async (model: Model): Promise<readonly (readonly number[])[]> => {
  const program = await cpuEngine.compile(model.graph, { threads: 1 });
  const encoder = tokenizerOf(tokenizerIn(model));
  const rows: number[][] = [];
  for (const text of texts) {
    const { ids } = await encoder.encode(text, model.info.maxLength);
    const dims = [1, ids.length];
    const outputs = await program.run({
      input_ids: { dtype: 'int64', dims, data: BigInt64Array.from(ids, BigInt) },
      attention_mask: { dtype: 'int64', dims, data: new BigInt64Array(ids.length).fill(1n) },
    });
    const exps = Array.from(outputs.logits?.data ?? [], Number).map(Math.exp);
    const sum = exps.reduce((a, b) => a + b, 0);
    rows.push(exps.map((x) => x / sum));
  }
  await program.release();
  return rows;
};

interface Prediction {
  readonly label: string;
  readonly score: number;
}

/** What transformers.js says in Node about the folder `deploy` of `parent`. */
const clientPredictions = async (
  parent: string,
  dtype: Precision,
  batches: readonly string[][],
): Promise<Prediction[]> => {
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = parent;
  const classify = await pipeline('text-classification', 'deploy', clientOptions(dtype));
  const predictions: Prediction[] = [];
  for (const batch of batches) for (const one of await classify(batch)) predictions.push(...[one].flat());
  await classify.dispose();
  return predictions;
};

const best = (row: readonly number[]): { label: string; score: number; margin: number } => {
  const order = row.map((score, i) => ({ score, label: labels[i] ?? '' })).sort((a, b) => b.score - a.score);
  const [first = { score: 0, label: '' }, second = { score: 0 }] = order;
  return { ...first, margin: first.score - second.score };
};

let parent = '';
let metrics: Metrics = {};
const classifier = smallModel(labels);
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'decant-export-'));
  await writeModel(join(parent, 'fp32'), classifier);
  await writeModel(join(parent, 'q8'), quantized(classifier));
  const inputs = {
    fp32: await artifactOf(join(parent, 'fp32'), 'model'),
    q8: await artifactOf(join(parent, 'q8'), 'model'),
  };
  metrics = await exportStage.run(inputs, {}, contextIn(parent));
  await cp(join(parent, 'folder'), join(parent, 'deploy'), { recursive: true });
});
afterAll(() => rm(parent, { recursive: true, force: true }));

describe('an exported folder', () => {
  it.each(['fp32', 'q8'] as const)(
    'predicts in transformers.js what ONNX Runtime predicts: %s, one by one',
    async (dtype) => {
      const expected = await probabilities(await readModel(join(parent, 'deploy'), { precision: dtype }));
      const found = await clientPredictions(
        parent,
        dtype,
        texts.map((text) => [text]),
      );
      expect(found).toHaveLength(texts.length);
      texts.forEach((_, i) => {
        const { label, score, margin } = best(expected[i] ?? []);
        if (margin > TIE) expect(found[i]?.label).toBe(label);
        expect(Math.abs((found[i]?.score ?? 0) - score)).toBeLessThan(ROUNDING);
      });
      expect(expected.filter((row) => best(row).margin > TIE).length).toBeGreaterThan(texts.length / 2);
    },
  );

  it('predicts the same in one padded batch, where activations are not quantized', async () => {
    const expected = await probabilities(await readModel(join(parent, 'deploy'), { precision: 'fp32' }));
    const found = await clientPredictions(parent, 'fp32', [texts]);
    texts.forEach((_, i) => {
      expect(Math.abs((found[i]?.score ?? 0) - best(expected[i] ?? []).score)).toBeLessThan(ROUNDING);
    });
  });

  it('keeps labels in padded batches of the quantized file wherever the two best are apart', async () => {
    const expected = await probabilities(await readModel(join(parent, 'deploy'), { precision: 'q8' }));
    const found = await clientPredictions(parent, 'q8', [texts]);
    const clear = texts.map((_, i) => best(expected[i] ?? []));
    clear.forEach(({ label, margin }, i) => {
      if (margin > TIE) expect(found[i]?.label).toBe(label);
    });
  });

  it.each(['fp32', 'q8'] as const)('answers to texts without a single token: %s', async (dtype) => {
    for (const batch of [[''], ['', 'the cat'], ['', '']]) {
      const found = await clientPredictions(parent, dtype, [batch]);
      expect(found.map(({ label, score }) => labels.includes(label) && Number.isFinite(score))).toEqual(
        batch.map(() => true),
      );
    }
  });

  it('loads the smaller file by default, in decant and in transformers.js', async () => {
    const config = JSON.parse(await readFile(join(parent, 'deploy/config.json'), 'utf8'));
    expect(config['transformers.js_config']).toEqual({ dtype: 'q8' });
    const model = await readModel(join(parent, 'deploy'));
    expect(model.graph.nodes.some((node) => node.op.includes('Quantize'))).toBe(true);
    expect(model.info.labels).toEqual(labels);
  });

  it('keeps its bytes while the stage keeps its version', async () => {
    const { artifact } = await artifactOf(join(parent, 'folder'), 'folder');
    const own = Object.entries(artifact.files).filter(([file]) => file !== onnxFile('q8'));
    const digests = own.map(([file, { digest }]) => `${file} ${digest}`);
    // Other bytes under the same version would leave stale cache entries in use: raise `version`, then run with -u.
    await expect(`${digests.sort().join('\n')}\n`).toMatchFileSnapshot(
      `../golden/export-version-${exportStage.version}.txt`,
    );
  });

  it('reports the bytes of its files', () => {
    expect(metrics).toMatchObject({ files: ['fp32', 'q8'] });
  });
});

describe('the export stage', () => {
  const run = async (models: Readonly<Record<string, Model>>): Promise<string> => {
    const folder = await mkdtemp(join(parent, 'case-'));
    const inputs: Record<string, Awaited<ReturnType<typeof artifactOf>>> = {};
    for (const [name, model] of Object.entries(models)) {
      await writeModel(join(folder, name), model);
      inputs[name] = await artifactOf(join(folder, name), 'model');
    }
    await exportStage.run(inputs, {}, contextIn(folder));
    return join(folder, 'folder');
  };

  it('takes one precision alone and tells transformers.js which', async () => {
    const folder = await run({ fp32: classifier });
    const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
    expect(config['transformers.js_config']).toEqual({ dtype: 'fp32' });
    await expect(readModel(folder, { precision: 'q8' })).rejects.toThrow('holds no q8 model; it has fp32');
  });

  it('writes a folder that is fused for inference', async () => {
    const { graph } = await readModel(await run({ fp32: classifier }));
    expect(graph.nodes.some((node) => node.op === 'Dropout')).toBe(false);
    expect(graph.nodes.length).toBeLessThan(classifier.graph.nodes.length);
  });

  it('exports an encoder without a head for feature extraction', async () => {
    const { info } = classifier;
    const features = smallModel([]);
    const folder = await run({ fp32: features });
    env.allowRemoteModels = false;
    const extract = await pipeline('feature-extraction', folder, { dtype: 'fp32' });
    const found = await extract('the cat', { pooling: 'none' });
    await extract.dispose();
    const { ids } = await tokenizerOf(tokenizerIn(features)).encode('the cat', info.maxLength);
    const [expected = []] = await outputsOf(features.graph, [batchOf([[...ids]])]);
    expect(found.dims).toEqual([1, ids.length, 64]);
    expect(largestDifference(Array.from(found.data, Number), expected)).toBeLessThan(ROUNDING);
  });

  it.each([
    ['WordPiece', trainWordPiece],
    ['byte-level BPE', trainByteBpe],
  ] as const)('exports trained tokenizers with their special tokens: %s', async (_, train) => {
    const tokenizer = train(['the cat sleeps quietly, the old dog runs', 'the cat runs, the dog sleeps quietly'], {
      size: 300,
    });
    const encoder = tokenizerOf(tokenizer);
    const model = smallEncoder({ vocabulary: encoder.size, maxLength: 64, tokens: { padding: 0, unknown: 1 } });
    const folder = await run({ fp32: { ...model, tokenizer } });
    env.allowRemoteModels = false;
    const classify = await pipeline('text-classification', folder, { dtype: 'fp32' });
    const given = ['The cat runs', 'naïve ☃ walks!', '[MASK] literal [PAD] the dog'];
    const found = (await classify(given)).flat();
    await classify.dispose();
    for (const [i, text] of given.entries()) {
      const [logits = []] = await outputsOf(model.graph, [batchOf([[...(await encoder.encode(text, 64)).ids]])]);
      const top = Math.max(...logits.map((x) => 1 / logits.reduce((sum, y) => sum + Math.exp(y - x), 0)));
      expect(Math.abs((found[i]?.score ?? 0) - top)).toBeLessThan(ROUNDING);
    }
  });

  it('publishes nothing that gives numbers which are not finite', async () => {
    const name = value('classifier.weight');
    const dims = classifier.graph.weights.get(name)?.dims ?? [];
    // Each is a number, their products with what stands before are not.
    const huge = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => (i % 3 === 0 ? 3e38 : -3e38));
    const weights = new Map(classifier.graph.weights).set(name, tensorOf('float32', dims, huge));
    const broken = { ...classifier, graph: { ...classifier.graph, weights } };
    await expect(run({ fp32: broken })).rejects.toThrow('onnx/model.onnx gives numbers that are not finite');
  });

  it('refuses to start without a model, and models that do not belong together', async () => {
    await expect(run({})).rejects.toThrow('export needs a model');
    await expect(run({ fp32: classifier, q8: quantized(smallEncoder()) })).rejects.toThrow('differ in labels');
  });

  it('refuses a model under the name of another format', async () => {
    await expect(run({ fp32: quantized(classifier) })).rejects.toThrow('the fp32 model is stored in q8');
    await expect(run({ q8: classifier })).rejects.toThrow('the q8 model is stored in fp32');
  });
});
