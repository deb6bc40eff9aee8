import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeDataset } from '../../data/files.ts';
import { type Profile, readProfile } from '../../data/profile.ts';
import { type Graph, type Node, type Value, value } from '../../graph/graph.ts';
import { fusedFor } from '../../graph/quantize/convert.ts';
import { q4 } from '../../graph/quantize/formats/q4.ts';
import { quantizeWeights } from '../../graph/quantize/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { float32Of, type Tensor, tensorOf } from '../../graph/tensor.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import type { EncoderOptions } from '../../models/encoder.ts';
import { writeModel } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { profile } from '../../stages/profile/index.ts';
import { smallEncoder } from '../models/support.ts';
import { artifactOf, contextIn } from './stage-rig.ts';

const WORDS = 48;

const encoder = (options: Partial<EncoderOptions> = {}): Model =>
  smallEncoder({ maxLength: WORDS, activation: 'relu', layers: 1, ...options });

/** Wide enough that its products are most of the time. */
const wide = (): Model => encoder({ hidden: 256, ffn: 512, layers: 2 });
const tiny = (): Model => encoder();

const withGraph = (model: Model, graph: Graph): Model => ({
  ...model,
  graph,
});

const withWeights = (model: Model, change: (tensor: Tensor, name: Value) => Tensor): Model =>
  withGraph(model, {
    ...model.graph,
    weights: new Map([...model.graph.weights].map(([name, tensor]) => [name, change(tensor, name)])),
  });

const inEightBits = (model: Model): Model =>
  withGraph(model, quantizeWeights(fuseForInference(model.graph), { minimumElements: 1 }).graph);

const inBlocks = (model: Model): Model =>
  withGraph(model, quantizeWeights(fusedFor(model.graph, q4), { format: q4, minimumElements: 1 }).graph);

/** Four of five weights of every matrix as zeros. */
const sparse = (model: Model): Model =>
  withWeights(model, (tensor) => {
    if (tensor.dtype !== 'float32' || tensor.dims.length !== 2) return tensor;
    return tensorOf(
      'float32',
      tensor.dims,
      float32Of(tensor).map((x, i) => (i % 5 === 0 ? x : 0)),
    );
  });

const isMatrix = (name: Value, { dtype, dims }: Tensor): boolean =>
  dtype === 'int8' && dims.length === 2 && name.startsWith('encoder.');

/** The same numbers as unsigned integers around 128. */
const unsigned = (model: Model): Model => {
  const { graph } = model;
  const zero = value('unsigned/zero_point');
  const moved = new Map(
    [...graph.weights].map(([name, tensor]) => [name, isMatrix(name, tensor) ? around128(tensor) : tensor]),
  );
  const nodes = graph.nodes.map((node) => {
    const position = node.op === 'MatMulInteger' ? 3 : node.op === 'QAttention' ? 7 : undefined;
    if (position === undefined) return node;
    return {
      ...node,
      inputs: Array.from({ length: position + 1 }, (_, i) => (i === position ? zero : (node.inputs[i] ?? null))),
    };
  });
  return withGraph(model, { ...graph, nodes, weights: moved.set(zero, tensorOf('uint8', [], Uint8Array.of(128))) });
};

const around128 = (tensor: Tensor): Tensor =>
  tensorOf(
    'uint8',
    tensor.dims,
    Uint8Array.from(tensor.bytes.read(), (byte) => (byte + 128) % 256),
  );

/** One scale, the first column's, for a whole matrix. */
const oneScale = (model: Model): Model => {
  const scaled = withWeights(model, (tensor, name) =>
    name.startsWith('encoder.') && name.endsWith('_scale')
      ? tensorOf('float32', [1], float32Of(tensor).slice(0, 1))
      : tensor,
  );
  // What is computed from the scales has another shape now: reading the file tells it.
  const types = [...scaled.graph.types].filter(([name]) => scaled.graph.inputs.includes(name));
  return { ...scaled, graph: { ...scaled.graph, types: new Map(types) } };
};

/** A node between Softmax and the values that changes nothing, which no pattern of attention expects. */
const broken = (model: Model): Model => {
  const { graph } = model;
  const behind = (output: Value): Value => value(`${output}/positive`);
  const softmaxes = new Set(graph.nodes.filter(({ op }) => op === 'Softmax').flatMap(({ outputs }) => outputs));
  const nodes = graph.nodes.flatMap((node): readonly Node[] => {
    const inputs = node.inputs.map((input) => (input !== null && softmaxes.has(input) ? behind(input) : input));
    const [output] = node.outputs;
    if (output === undefined || !softmaxes.has(output)) return [{ ...node, inputs }];
    const positive = {
      op: 'Abs',
      domain: '',
      name: behind(output),
      inputs: [output],
      outputs: [behind(output)],
      attrs: {},
    };
    return [node, positive];
  });
  return withGraph(model, { ...graph, nodes });
};

/** Many products of a few numbers each. */
export const thin = (): Model => inEightBits(encoder({ ffn: 16, layers: 6 }));
/** Products large enough for many threads. */
export const large = (): Model => encoder({ hidden: 512, ffn: 1024 });

/** Models by what they show. */
export const profiledModels: Readonly<Record<string, () => Model>> = {
  tiny,
  wide,
  /** The wider, the less of its time is anything but products. */
  wider: () => encoder({ hidden: 512, ffn: 2048, layers: 1 }),
  'wide-int8': () => inEightBits(wide()),
  'wide-q4': () => inBlocks(wide()),
  unsigned: () => unsigned(inEightBits(wide())),
  'one-scale': () => oneScale(inEightBits(encoder({ hidden: 64, ffn: 128 }))),
  broken: () => broken(encoder({ hidden: 64, ffn: 64, layers: 2 })),
  sparse: () => sparse(wide()),
  table: () => encoder({ vocabulary: 5000 }),
  odd: () => encoder({ hidden: 84, ffn: 16, layers: 2 }),
};

const sentenceOf = (words: number): string =>
  Array.from({ length: words }, (_, i) => ['the', 'old', 'cat', 'sleeps'][i % 4]).join(' ');

const classes = ['animal', 'motion', 'rest'];

/** Runs the stage over models in a folder that is gone afterwards. */
export const profileOf = async (
  models: Readonly<Record<string, Model>>,
  { words = WORDS, ...config }: { readonly words?: number; readonly threads?: number; readonly rounds?: number } = {},
): Promise<Profile> => {
  const folder = await mkdtemp(join(tmpdir(), 'decant-profile-'));
  try {
    const example = { id: 0, text: sentenceOf(words), target: 0 };
    const data = join(folder, 'dataset');
    await mkdir(data);
    await writeDataset(data, {
      task: 'text-classification',
      classes,
      maxLength: WORDS,
      train: [],
      unlabelled: [],
      validation: [],
      test: [example],
    });
    const inputs: Record<string, InputArtifact> = { dataset: await artifactOf(data, 'dataset') };
    for (const [id, model] of Object.entries(models)) {
      await writeModel(join(folder, 'models', id), model);
      inputs[id] = await artifactOf(join(folder, 'models', id), 'model');
    }
    await profile.run(inputs, profile.config.parse({ rounds: 12, ...config }), contextIn(folder));
    return await readProfile((file) => join(folder, 'profile', file));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
