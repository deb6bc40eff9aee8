import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { lengthBatches } from '../../data/batches.ts';
import { lengthsOf } from '../../data/lengths.ts';
import { stream } from '../../data/random.ts';
import { type TextInput, tokenizerOf } from '../../data/tokenize.ts';
import { trainWordPiece } from '../../data/tokenizers/wordpiece.ts';
import { encodedText } from '../../engine/encoded.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { feedsFor } from '../../engine/feeds.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { type Value, value } from '../../graph/graph.ts';
import type { QuantizeOptions } from '../../graph/quantize/choose.ts';
import { fusedFor, storedAs } from '../../graph/quantize/convert.ts';
import { formats } from '../../graph/quantize/formats/index.ts';
import type { Ranges } from '../../graph/quantize/range.ts';
import { tensorOf } from '../../graph/tensor.ts';
import { hasClasses, modelTask, type TaskName } from '../../ground/tasks.ts';
import { buildEncoder } from '../../models/encoder.ts';
import { readModel } from '../../models/files.ts';
import { withMaskedHead } from '../../models/masked-head.ts';
import { type Model, type ModelInfo, type TextModel, tokenizerIn } from '../../models/model.ts';
import type { Precision } from '../../models/precision.ts';
import { answerName, textPort, textSignature, tokenPort } from '../../models/signature.ts';
import { families } from '../../stages/export/families.ts';
import { exportModels } from '../../stages/export/folder.ts';
import { calibrators } from '../../stages/quantize/calibrators/index.ts';
import { calibrated } from '../../stages/quantize/ranges.ts';
import { textInputsOf } from '../models/support.ts';
import { root } from '../rig/build.ts';

/** Tiny random checkpoints of every architecture. */
export const golden = `${root}test/golden/checkpoints`;

/** Where the two best classes are nearer than this, rounding may choose another one. */
export const TIE = 0.02;
/** Float32 values around one: other kernels or padded batches sum in another order. */
export const ROUNDING = 1e-4;

export const texts: readonly string[] = [
  'the cat sleeps quietly',
  'the old dog runs!',
  'a small bird sings, quietly',
  'Dogs and birds sleep; the old cat runs on and on until the small hours',
  'naïve ☃ cat',
  'bird',
];

/** Tasks of models that read texts. */
export type TextTask = Exclude<TaskName, 'image-classification' | 'text2text'>;

export const tasks: readonly TextTask[] = [
  ...([
    'text-classification',
    'token-classification',
    'named-entities',
    'multi-label',
    'fill-mask',
    'features',
  ] as const),
];

export const labels = ['animal', 'motion', 'rest', 'sound'];
const HIDDEN = 64;
const MAX_LENGTH = 32;
/** Large enough that most texts have one clear class. */
const HEAD_DEVIATION = 0.5;

const tokenizer = trainWordPiece(texts, { size: 160 });
const { size: VOCABULARY } = tokenizerOf(tokenizer);

/** Mean over the tokens that the mask keeps: (batch, hidden). */
const meanOf = (builder: GraphBuilder, x: Value, mask: string): Value => {
  const kept = builder.op('Cast', [builder.op('Unsqueeze', [value(mask), builder.ints([2])])], { to: 1 });
  const sum = builder.op('ReduceSum', [builder.op('Mul', [x, kept]), builder.ints([1])], { keepdims: 0 });
  return builder.op('Div', [sum, builder.op('ReduceSum', [kept, builder.ints([1])], { keepdims: 0 })]);
};

const randomWeight = (builder: GraphBuilder, name: string, dims: readonly [number, number]): Value => {
  const random = stream(7, name);
  const elements = Float32Array.from({ length: dims[0] * dims[1] }, () => HEAD_DEVIATION * random.normal());
  return builder.weight(name, tensorOf('float32', dims, elements));
};

/** Features with a row of the table of token types added, and the input that says which. */
const typed = (builder: GraphBuilder, features: Value, ids: Value): [Value, Value] => {
  const types = builder.input('token_type_ids', 'int64', builder.type(ids).shape);
  const rows = builder.op('Gather', [randomWeight(builder, 'token_types.weight', [2, HIDDEN]), types]);
  return [builder.op('Add', [features, rows]), types];
};

/** With the head of masked language models, over embeddings that tell tokens apart: both read one table. */
const filling = (model: TextModel, info: Partial<ModelInfo>): TextModel => {
  const table = value('embeddings.word_embeddings.weight');
  const random = stream(7, table);
  const rows = Float32Array.from({ length: VOCABULARY * HIDDEN }, () => HEAD_DEVIATION * random.normal());
  const weights = new Map(model.graph.weights).set(table, tensorOf('float32', [VOCABULARY, HIDDEN], rows));
  const made = withMaskedHead({ ...model, graph: { ...model.graph, weights } }, 'fill-mask');
  return { ...made, tokenizer: model.tokenizer, info: { ...made.info, ...info } };
};

export interface ClientModelOptions {
  /** Whether the model is told the two texts of a pair apart. */
  readonly types?: boolean;
  readonly info?: Partial<ModelInfo>;
}

/** A tiny random model of a task that reads texts as BERT does. */
export const clientModel = (task: TaskName, { types = false, info = {} }: ClientModelOptions = {}): TextModel => {
  const sizes = { hidden: HIDDEN, layers: 1, heads: 2, ffn: 2 * HIDDEN, vocabulary: VOCABULARY };
  const model = buildEncoder(
    {
      ...sizes,
      maxLength: MAX_LENGTH,
      norm: 'post',
      activation: 'gelu',
      pooling: 'mean',
      labels: [],
      dropout: 0.1,
      tokens: { padding: 0, unknown: 1 },
    },
    tokenizer,
    3,
  );
  if (task === 'features') return { ...model, info: { ...model.info, ...info } };
  if (task === 'fill-mask' && !types) return filling(model, info);
  const builder = GraphBuilder.from(model.graph);
  const inputs = textInputsOf(model.info);
  const features = answerName(model.info.signature);
  const [x, typesInput] = types ? typed(builder, features, inputs.ids) : [features, undefined];
  const named = hasClasses(task);
  const out = task === 'fill-mask' ? VOCABULARY : named ? labels.length : 1;
  const read = modelTask(task).about === 'text' ? meanOf(builder, x, inputs.mask) : x;
  const logits = builder.op('MatMul', [read, randomWeight(builder, 'head.weight', [HIDDEN, out])], {}, 'logits');
  return {
    ...model,
    graph: builder.freeze([logits]),
    info: {
      ...model.info,
      task,
      labels: named ? labels : [],
      signature: textSignature(
        { ...inputs, ...(typesInput === undefined ? {} : { types: typesInput }) },
        modelTask(task).about === 'text' ? textPort(logits) : tokenPort(logits),
      ),
      ...info,
    },
  };
};

/** Ranges of what products read, on the rig's texts. */
const rangesOf = async (model: Model, options: QuantizeOptions): Promise<Ranges> => {
  const graph = fusedFor(model.graph, options.format ?? formats[0]);
  const encoded = await tokenizerOf(tokenizerIn(model)).encodeBatch([...texts], model.info.maxLength);
  const { ranges } = await calibrated({
    ...{ graph, info: model.info, engine: cpuEngine, threads: 1, signal: new AbortController().signal },
    ...{ options, calibrator: calibrators[0], examples: encoded.map(encodedText), onText: () => {} },
  });
  return ranges;
};

/** The same in a format, tables of any size among it, so that a tiny model has every kind of node that ships. */
const stored = async (model: Model, precision: Precision): Promise<Model> => {
  const format = formats.find(({ dtype }) => dtype === precision);
  if (format === undefined) return model;
  const activations = modelTask(model.info.task).reads === 'before' ? 'int8' : 'float';
  const options = { format, activations, block: 16, minimumElements: 1, minimumTable: 1 } as const;
  const ranges = precision === 'int8' ? await rangesOf(model, options) : new Map();
  return { ...model, graph: storedAs(model.graph, { ...options, ranges }).graph };
};

/** Exports a model, float and INT8 side by side unless one is named, into a folder of its own below `parent`. */
export const exportInto = async (
  parent: string,
  name: string,
  model: Model,
  precisions: readonly Precision[] = ['fp32', 'q8'],
): Promise<string> => {
  const folder = join(parent, name);
  mkdirSync(folder, { recursive: true });
  const models = new Map<Precision, Model>();
  for (const precision of precisions) models.set(precision, await stored(model, precision));
  await exportModels(folder, models, { threads: 1, results: '' });
  return folder;
};

/** Rows of the output's last axis: one a text, or one a token. */
type Rows = readonly (readonly number[])[];

/** What decant itself computes with an exported file, one text at a time. */
export const ownOutputs = async (
  folder: string,
  precision: Precision,
  inputs: readonly TextInput[],
): Promise<readonly Rows[]> => {
  const model = await readModel(folder, { precision });
  const encoder = tokenizerOf(tokenizerIn(model));
  const program = await cpuEngine.compile(model.graph, { threads: 1 });
  const found: Rows[] = [];
  for (const input of inputs) {
    const encoded = [encodedText(await encoder.encode(input, model.info.maxLength))];
    const [batch = { rows: new Int32Array(), length: 0 }] = lengthBatches(lengthsOf(encoded), 1);
    const output = (await program.run(feedsFor(model.info, encoded, batch)))[answerName(model.info.signature)];
    const width = output?.dims.at(-1) ?? 1;
    const numbers = Array.from(output?.data ?? [], Number);
    found.push(
      Array.from({ length: numbers.length / width }, (_, row) => numbers.slice(row * width, (row + 1) * width)),
    );
  }
  await program.release();
  return found;
};

export interface Best {
  readonly index: number;
  readonly score: number;
  /** How far the second is behind. */
  readonly margin: number;
}

/** The most probable class of logits. */
export const bestOf = (logits: readonly number[]): Best => {
  const highest = Math.max(...logits);
  const exponentials = logits.map((logit) => Math.exp(logit - highest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  const order = exponentials.map((one, index) => ({ index, score: one / sum })).sort((a, b) => b.score - a.score);
  const [first = { index: -1, score: 0 }, second = { score: 0 }] = order;
  return { ...first, margin: first.score - second.score };
};

/** The families whose models read texts and write none, by model_type. */
export const encoderFamilies = Object.entries(families).filter(
  ([, { images, decodes, answers }]) => images !== true && decodes !== true && answers !== true,
);
