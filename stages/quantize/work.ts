import type { Encoded } from '../../engine/encoded.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import type { Watching } from '../../engine/observe/index.ts';
import { encodedBytes } from '../../graph/codec/index.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import { blockwise } from '../../graph/quantize/blockwise.ts';
import { chooseWeights, leftAlone, type QuantizeOptions } from '../../graph/quantize/choose.ts';
import { fusedFor } from '../../graph/quantize/convert.ts';
import { storedInHalves } from '../../graph/quantize/half.ts';
import { type Quantized, quantizeWeights } from '../../graph/quantize/index.ts';
import { whyKept } from '../../graph/quantize/report.ts';
import { smoothed } from '../../graph/quantize/smooth.ts';
import { stageError, type UserError } from '../../ground/errors.ts';
import type { Json } from '../../ground/json.ts';
import { hiddenStatesIn } from '../../models/anatomy/hidden-states.ts';
import { readModelArtifact, writeModel } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { precisionOf } from '../../models/precision-of.ts';
import type { StageRun } from '../stage.ts';
import { activationsOf } from './activations.ts';
import { searchBlockScales } from './block-scales.ts';
import { type RoundedProducts, roundProducts, withCorrections } from './blocks.ts';
import { bytesIn } from './budget.ts';
import { calibrationTexts, type Texts } from './calibration.ts';
import { type Deviation, judgeOf } from './check.ts';
import { CALIBRATION, type Config, formatOf, roundingIn } from './config.ts';
import { type Decision, writeDecision } from './decision.ts';
import { wideValues } from './halves.ts';
import type { Reported } from './index.ts';
import { type Mixed, mixedWithin } from './mixed.ts';
import { Harms } from './sensitivity.ts';
import { type Smoothing, searchScales } from './smoothing.ts';

/** Matrices only: vectors are float in every quantized model. */
const weightsJson = ({ weights, quantized, bytesBefore, bytesAfter }: Quantized['report']): Record<string, Json> => {
  const matrices = weights.filter(({ dims }) => dims.length === 2);
  return {
    quantized,
    kept: matrices.length - quantized,
    bytesBefore,
    bytesAfter,
    weights: matrices.map(({ name, dims, storage, reason, bytesBefore: before, bytesAfter: after }) => ({
      name,
      dims: [...dims],
      storage,
      ...(reason === undefined ? {} : { reason }),
      bytesBefore: before,
      bytesAfter: after,
    })),
  };
};

/** What was made of a graph, and what was found on the way. */
interface Made {
  readonly graph: Graph;
  readonly quantized: Quantized;
  readonly smoothings: readonly Smoothing[];
  /** Values that stay in float32, and how large they grow. */
  readonly islands: ReadonlyMap<string, number>;
  /** What a budget allowed, and what came of it. */
  readonly mixed?: Mixed & { readonly reached: number; readonly bytes: number };
}

const mixedJson = ({ widened, singles, whole, predicted, reached, bytes }: NonNullable<Made['mixed']>): Json => ({
  widened: [...widened],
  sensitivity: singles.map(({ weight, harm, bytes: more }) => ({ weight, harm, bytes: more })),
  ...{ whole, predicted, reached, bytes },
});

const metricsOf = ({ format }: Config, made: Made, found: Deviation): Reported => ({
  quantization: {
    format,
    ...weightsJson(made.quantized.report),
    ...(made.smoothings.length === 0 ? {} : { smoothing: made.smoothings.map((one) => ({ ...one })) }),
    ...(made.mixed === undefined ? {} : { mixed: mixedJson(made.mixed) }),
    ...(made.islands.size === 0 ? {} : { islands: Object.fromEntries(made.islands) }),
  },
  deviation: { ...found },
});

/** A rounded model may lose a little; one whose outputs are no numbers, or point elsewhere, is broken. */
const proved = (found: Deviation): Deviation => {
  if (Number.isFinite(found.maxError) && found.meanCosine > 0.5) return found;
  const cosine = Number.isFinite(found.maxError) ? `a mean cosine of ${found.meanCosine.toFixed(3)}` : 'NaN';
  throw stageError(
    `the quantized model does not follow its source: ${cosine} between their outputs. ` +
      'Keep sensitive weights in float with exclude, or check that the source model is sound',
  );
};

/** A model that stays as it is would be refused as a file of fewer bits much later, and be none in the report until then. */
const nothingQuantized = ({ format }: Config, { weights }: Quantized['report']): UserError => {
  const reasons = whyKept(weights);
  return stageError(
    `no matrix of this model can be stored in ${format === 'int8' || format === 'uint8' ? '8 bits' : format}${reasons === '' ? '' : ` (${reasons})`}: leave quantization out, exclude less, or take a larger model`,
  );
};

/** How far a step has come, and when to stop it. */
export interface QuantizeContext {
  readonly threads: number;
  readonly signal: AbortSignal;
  onProgress(progress: {
    readonly done: number;
    readonly total: number;
    readonly unit: string;
    readonly phase: string;
  }): void;
}

/** What quantization works with: a model, what is asked, and texts where activations are to be seen. */
interface Subject {
  readonly model: Model;
  readonly config: Config;
  readonly options: QuantizeOptions;
  readonly examples: readonly Encoded[] | undefined;
  /** Other texts, to judge by. */
  readonly judged: readonly Encoded[];
  readonly context: QuantizeContext;
}

const watchingOf = (graph: Graph, { model, context }: Subject): Watching => ({
  ...{ graph, info: model.info, engine: cpuEngine },
  ...{ threads: context.threads, signal: context.signal },
});

const counting =
  ({ onProgress }: QuantizeContext, unit: string, phase: string) =>
  (done: number, total: number): void =>
    onProgress({ done, total, unit, phase });

const reading = (context: QuantizeContext) => counting(context, 'texts', 'looking at activations');

/** Activations evened out where that pays. */
const evened = async (graph: Graph, subject: Subject): Promise<Pick<Made, 'graph' | 'smoothings'>> => {
  const { examples, config, context } = subject;
  if (examples === undefined || config.smooth === false) return { graph, smoothings: [] };
  const watching = watchingOf(graph, subject);
  const { scales, smoothings } = await searchScales({
    ...watching,
    activationsOf: (inputs) => activationsOf(watching, inputs, examples, reading(context)),
    onGroup: counting(context, 'products', 'evening out activations'),
  });
  return { graph: smoothed(graph, scales), smoothings };
};

const nothingRounded: RoundedProducts = { packings: new Map(), corrections: new Map() };

/** Inputs divided and weights multiplied where a rounding to blocks asks for that. */
const scaled = async (graph: Graph, subject: Subject): Promise<Pick<Made, 'graph' | 'smoothings'>> => {
  const { examples, config, options, context } = subject;
  const rounding = roundingIn(config);
  if (examples === undefined || !rounding.readsInputs || !rounding.scales) return { graph, smoothings: [] };
  const onMatrix = counting(context, 'products', 'searching scales');
  const request = { ...watchingOf(graph, subject), examples, onText: reading(context), onMatrix };
  const { scales, smoothings } = await searchBlockScales(request, chooseWeights(graph, options));
  return { graph: smoothed(graph, scales), smoothings };
};

/** Matrices rounded by what they are multiplied with. */
const rounded = async (graph: Graph, subject: Subject): Promise<RoundedProducts> => {
  const { examples, config, options, context } = subject;
  const rounding = roundingIn(config);
  if (examples === undefined || !rounding.readsInputs) return nothingRounded;
  const onMatrix = counting(context, 'matrices', 'rounding');
  const request = { ...watchingOf(graph, subject), examples, onText: reading(context), onMatrix };
  return await roundProducts(request, rounding, chooseWeights(graph, options));
};

/** Blocks of few bits, and of 8 where a budget allows some. */
const inBlocks = async (graph: Graph, subject: Subject): Promise<Pick<Made, 'quantized' | 'mixed'>> => {
  const { config, options, examples, judged } = subject;
  const found = await rounded(graph, subject);
  const rounding = roundingIn(config);
  const rows = rounding.readsInputs ? undefined : rounding.rows;
  const alone = blockwise(graph, chooseWeights(graph, options), found.packings, rows);
  const products = { ...found, packings: new Map([...found.packings, ...alone]) };
  const all = (widened: ReadonlySet<Value>): Quantized => {
    const packings = new Map([...products.packings].filter(([name]) => !widened.has(name)));
    return quantizeWeights(withCorrections(graph, products, packings.keys()), { ...options, widened }, packings);
  };
  const smallest = all(new Set());
  const bytes = config.budget === undefined ? undefined : bytesIn(config.budget.bytes);
  if (bytes === undefined || examples === undefined) return { quantized: smallest };
  const harms = await Harms.of(watchingOf(graph, subject), judged);
  const mixed = await mixedWithin({
    graph,
    options,
    products,
    smallest,
    bytes,
    harms,
    onWeight: counting(subject.context, 'weights', 'measuring what each loses'),
  });
  const quantized = all(mixed.widened);
  return {
    quantized,
    mixed: { ...mixed, reached: await harms.harmOf(quantized.graph), bytes: encodedBytes(quantized.graph) },
  };
};

/** A graph in float32 products or blocks, as float16. */
const narrowed = async ({ graph, choices }: Quantized, subject: Subject): Promise<Pick<Made, 'graph' | 'islands'>> => {
  const { options, examples, context } = subject;
  if (options.format?.floats !== 'float16') return { graph, islands: new Map() };
  const watching = watchingOf(graph, subject);
  const islands = examples === undefined ? new Map() : await wideValues(watching, examples, reading(context));
  return { graph: storedInHalves(graph, new Set([...islands.keys(), ...leftAlone(choices)])), islands };
};

const made = async (subject: Subject): Promise<Made> => {
  const { model, options, config } = subject;
  const format = formatOf(config.format);
  const { kind } = format.products;
  const fused = fusedFor(model.graph, format);
  const evening = { integers: evened, blocks: scaled, floats: undefined }[kind];
  const even = (await evening?.(fused, subject)) ?? { graph: fused, smoothings: [] };
  const { quantized, mixed } =
    kind === 'blocks' ? await inBlocks(even.graph, subject) : { quantized: quantizeWeights(even.graph, options) };
  if (kind !== 'floats' && quantized.report.quantized === 0) throw nothingQuantized(subject.config, quantized.report);
  return { ...even, quantized, ...(mixed === undefined ? {} : { mixed }), ...(await narrowed(quantized, subject)) };
};

/** Fuses a model for inference, stores it in fewer bits and proves that it follows its source. */
export const quantizeModel = async (
  source: Model,
  config: Config,
  texts: Texts | undefined,
  context: QuantizeContext,
): Promise<{ readonly model: Model; readonly metrics: Reported; readonly decision: Decision }> => {
  if (precisionOf(source.graph) !== 'fp32') {
    throw stageError('the model is quantized already; take the model from before with from: ID');
  }
  const onText = counting(context, 'texts', 'comparing with the source');
  const judge = await judgeOf(source, { threads: context.threads, signal: context.signal, onText });
  const { embeddings, reduceRange, exclude, block, zeroPoint, format } = config;
  const options: QuantizeOptions = {
    ...{ embeddings, reduceRange, exclude, format: formatOf(format) },
    ...(block === undefined ? {} : { block }),
    ...(zeroPoint === undefined ? {} : { zeroPoint }),
  };
  const result = await made({
    ...{ model: source, config, options, context },
    ...{ examples: texts?.seen, judged: texts?.judged ?? [] },
  });
  const { graph } = result;
  const model: Model = { ...source, graph, info: { ...source.info, ...hiddenStatesIn(graph, source.info) } };
  const found = await judge(model);
  return { model, metrics: metricsOf(config, result, proved(found)), decision: result.quantized.choices };
};

export const run: StageRun<Config, Reported> = async (inputs, config, ctx) => {
  const { model: input, dataset } = inputs;
  if (input === undefined) throw new Error('quantize needs a model');
  const source = await readModelArtifact(input.path);
  const { calibration = CALIBRATION } = config;
  const asked = { count: calibration, judges: config.budget !== undefined };
  const texts = dataset === undefined ? undefined : await calibrationTexts(dataset.path, source, asked, ctx.signal);
  const { model, metrics, decision } = await quantizeModel(source, config, texts, {
    ...{ threads: ctx.threads, signal: ctx.signal },
    onProgress: (progress) => ctx.progress(progress),
  });
  const folder = await ctx.output('model', 'model');
  await writeModel(folder, model);
  await writeDecision(folder, decision);
  return metrics;
};
