import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { withCorrections } from '../../engine/layerwise/corrections.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import { blockwise } from '../../graph/quantize/blockwise.ts';
import { chooseWeights, leftAlone, type QuantizeOptions } from '../../graph/quantize/choose.ts';
import { fusedFor } from '../../graph/quantize/convert.ts';
import type { Format } from '../../graph/quantize/format.ts';
import { storedInHalves } from '../../graph/quantize/half.ts';
import { type Quantized, quantizeWeights } from '../../graph/quantize/index.ts';
import { type StoredMatrix, storedMatrices, whyKept } from '../../graph/quantize/report.ts';
import { smoothed } from '../../graph/quantize/smooth.ts';
import { stageError, type UserError } from '../../ground/errors.ts';
import { counting } from '../../ground/progress.ts';
import { hiddenStatesIn } from '../../models/anatomy/hidden-states.ts';
import { readModelArtifact, writeModel } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { precisionOf } from '../../models/precision-of.ts';
import type { StageRun } from '../stage.ts';
import type { TrainedModel } from '../train/run.ts';
import { searchBlockScales } from './block-scales.ts';
import { type RoundedProducts, roundProducts } from './blocks.ts';
import { type Budgeted, budgetJson, withinBudget } from './budgeted.ts';
import { calibrationTexts, type Texts } from './calibration.ts';
import { type Deviation, judgeOf } from './check.ts';
import { CALIBRATION, type Config, formatOf, optionsOf, roundingIn } from './config.ts';
import { type Decision, writeDecision } from './decision.ts';
import { depthIn } from './depth.ts';
import { dropsFrom } from './drops.ts';
import { wideValues } from './halves.ts';
import type { Reported } from './index.ts';
import { type Evened, evened, inIntegers } from './integers.ts';
import { type LayerCosine, layersBeside } from './layers.ts';
import type { Calibration } from './ranges.ts';
import { type Train, trainedAgain, trainedFrom } from './recover.ts';
import { openRecovery } from './recovery.ts';
import { Harms } from './sensitivity.ts';
import type { Smoothing } from './smoothing.ts';
import { type QuantizeContext, reading, type Subject, watchingOf } from './subject.ts';

/** Matrices only: vectors are float in every quantized model. */
const weightsJson = (
  made: Quantized,
  { floats }: Pick<Format, 'floats'>,
  depthOf: (name: string) => string | undefined,
) => {
  const { quantized, bytesBefore, bytesAfter } = made.report;
  const matrices = storedMatrices(made, { floats });
  return {
    quantized,
    kept: matrices.length - quantized,
    bytesBefore,
    bytesAfter,
    weights: matrices.map(({ name, dims, storage, reason, bytesBefore: before, bytesAfter: after }) => {
      const depth = depthOf(name);
      return {
        ...{ name, dims: [...dims], storage, bytesBefore: before, bytesAfter: after },
        ...(reason === undefined ? {} : { reason }),
        ...(depth === undefined ? {} : { depth }),
      };
    }),
  };
};

/** What was made of a graph, and what was found on the way. */
interface Made {
  readonly graph: Graph;
  readonly quantized: Quantized;
  readonly smoothings: readonly Smoothing[];
  /** What activations span that have ranges before the model runs. */
  readonly calibration?: Calibration;
  /** Values that stay in float32, and how large they grow. */
  readonly islands: ReadonlyMap<Value, number>;
  /** What a budget allowed, and what came of it. */
  readonly budgeted?: Budgeted;
  /** What training left, where it saw weights as they are stored. */
  readonly trained?: TrainedModel;
  /** How deep a weight lies. */
  depthOf(weight: string): string | undefined;
}

const metricsOf = ({ format }: Config, made: Made, layers: readonly LayerCosine[], found: Deviation): Reported => {
  const { floats } = formatOf(format);
  const { quantized, smoothings, calibration, budgeted, islands, depthOf } = made;
  return {
    quantization: {
      format,
      ...weightsJson(quantized, { floats }, depthOf),
      ...(smoothings.length === 0
        ? {}
        : { smoothing: smoothings.map((one) => ({ ...one, outliers: [...one.outliers] })) }),
      ...(calibration === undefined ? {} : { ranges: calibration.inputs.map((one) => ({ ...one })) }),
      ...(budgeted === undefined ? {} : { budget: budgetJson(budgeted, { depthOf, floats }) }),
      ...(islands.size === 0 ? {} : { islands: Object.fromEntries(islands) }),
      ...(layers.length === 0 ? {} : { layers: layers.map((one) => ({ ...one })) }),
    },
    deviation: { ...found },
    ...(made.trained === undefined ? {} : { training: made.trained.summary }),
  };
};

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
    `no matrix of this model can be stored in ${formatOf(format).products.kind === 'integers' ? '8 bits' : format}${reasons === '' ? '' : ` (${reasons})`}: leave quantization out, exclude less, or take a larger model`,
  );
};

const nothingRounded: RoundedProducts = { packings: new Map(), corrections: new Map() };

/** Inputs divided and weights multiplied where a rounding to blocks asks for that. */
const scaled = async (graph: Graph, subject: Subject): Promise<Evened> => {
  const { examples, config, options, context } = subject;
  const rounding = roundingIn(config);
  if (examples === undefined || !rounding.readsInputs || !rounding.scales) return { graph, smoothings: [] };
  const onMatrix = counting(context.onProgress, 'products', 'searching scales');
  const request = { ...watchingOf(graph, subject), examples, onText: reading(context), onMatrix };
  const { scales, smoothings } = await searchBlockScales(request, chooseWeights(graph, options));
  return { graph: smoothed(graph, scales), smoothings, scales };
};

/** Matrices rounded by their own numbers, or by what they are multiplied with. */
const rounded = async (graph: Graph, subject: Subject, options: QuantizeOptions): Promise<RoundedProducts> => {
  const { examples, config, context } = subject;
  const rounding = roundingIn(config);
  const choices = chooseWeights(graph, options);
  if (!rounding.readsInputs)
    return { ...nothingRounded, packings: blockwise(graph, choices, new Map(), rounding.rows) };
  if (examples === undefined) return nothingRounded;
  const onMatrix = counting(context.onProgress, 'matrices', 'rounding');
  const request = { ...watchingOf(graph, subject), examples, onText: reading(context), onMatrix };
  return await roundProducts(request, rounding, choices);
};

/** The graph as it is written. */
type Stored = (quantized: Quantized) => Graph;

/** Blocks of few bits, and what else a budget allows some. */
const inBlocks = async (
  graph: Graph,
  subject: Subject,
  stored: Stored,
): Promise<Pick<Made, 'quantized' | 'budgeted'>> => {
  const { model, config, options, examples, judged, held, context } = subject;
  const { budget } = config;
  if (budget === undefined || examples === undefined) {
    const found = await rounded(graph, subject, options);
    return {
      quantized: quantizeWeights(withCorrections(graph, found, found.packings.keys()), options, found.packings),
    };
  }
  const verifying = { ...context, onText: counting(context.onProgress, 'texts', 'judging by held-out texts') };
  return await withinBudget({
    ...{ graph, options, budget, stored },
    harms: await Harms.of(watchingOf(graph, subject), judged),
    drops: held === undefined ? undefined : await dropsFrom(model, held, verifying),
    round: (at) => rounded(graph, subject, at),
    onWeight: counting(context.onProgress, 'weights', 'measuring what each loses'),
  });
};

/** Values of a graph in float16 that stay in float32. */
const islandsIn = async (graph: Graph, subject: Subject): Promise<Made['islands']> => {
  const { options, examples, context } = subject;
  if (options.format?.floats !== 'float16' || examples === undefined) return new Map();
  return await wideValues(watchingOf(graph, subject), examples, reading(context));
};

const made = async (subject: Subject): Promise<Made> => {
  const { model, options, config } = subject;
  const format = formatOf(config.format);
  const { kind } = format.products;
  const fused = fusedFor(model.graph, format);
  const evening = { integers: evened, blocks: scaled, floats: undefined }[kind];
  const { scales, ...found } = (await evening?.(fused, subject)) ?? { graph: fused, smoothings: [] };
  const before = trainedFrom({ fused, scales }, subject);
  const even = { ...found, graph: before?.fused ?? found.graph };
  const islands = await islandsIn(even.graph, subject);
  const stored: Stored = ({ graph, choices }) =>
    format.floats === 'float16' ? storedInHalves(graph, new Set([...islands.keys(), ...leftAlone(choices)])) : graph;
  const done: Pick<Made, 'quantized' | 'budgeted' | 'calibration'> =
    kind === 'blocks'
      ? await inBlocks(even.graph, subject, stored)
      : kind === 'integers'
        ? await inIntegers(even.graph, subject)
        : { quantized: quantizeWeights(even.graph, options) };
  const { report } = done.quantized;
  if (kind !== 'floats' && report.quantized === 0) throw nothingQuantized(subject.config, report);
  const again = before === undefined ? done : await trainedAgain(before, done.quantized);
  return { ...even, ...done, ...again, islands, graph: stored(again.quantized), depthOf: depthIn(model.graph, fused) };
};

/** Fuses a model for inference, stores it in fewer bits and proves that it follows its source. */
export const quantizeModel = async (
  source: Model,
  config: Config,
  texts: Texts | undefined,
  context: QuantizeContext,
  more: Pick<QuantizeOptions, 'minimumElements' | 'minimumTable'> = {},
  train?: Train,
): Promise<{
  readonly model: Model;
  readonly metrics: Reported;
  readonly decision: Decision;
  /** What became of each matrix. */
  readonly matrices: readonly StoredMatrix[];
}> => {
  if (precisionOf(source.graph) !== 'fp32') {
    throw stageError('the model is quantized already; take the model from before with from: ID');
  }
  const onText = counting(context.onProgress, 'texts', 'comparing with the source');
  const judging = { threads: context.threads, signal: context.signal, onText };
  // A file that was trained follows what training saw in the end: that is another model by then.
  const before = train === undefined ? await judgeOf(source, judging) : undefined;
  const options = { ...more, ...optionsOf(config, source.info.task) };
  const result = await made({
    ...{ model: source, config, options, context, train },
    ...{ examples: texts?.seen, judged: texts?.judged ?? [], held: texts?.held },
  });
  const { graph, trained } = result;
  const origin = trained?.model ?? source;
  const model: Model = { ...origin, graph, info: { ...origin.info, ...hiddenStatesIn(graph, origin.info) } };
  const found = await (before ?? (await judgeOf(origin, judging)))(model);
  const watching = { ...{ graph, info: origin.info, engine: cpuEngine }, ...context };
  const layers = texts === undefined ? [] : await layersBeside(watching, origin, graph, texts.judged);
  return {
    ...{ model, metrics: metricsOf(config, result, layers, proved(found)), decision: result.quantized.choices },
    matrices: storedMatrices(result.quantized, formatOf(config.format)),
  };
};

export const run: StageRun<Config, Reported> = async (inputs, config, ctx) => {
  const { model: input, dataset } = inputs;
  if (input === undefined) throw new Error('quantize needs a model');
  const recovery = await openRecovery(inputs, config, ctx);
  const source = recovery?.model ?? (await readModelArtifact(input.path));
  const { calibration = CALIBRATION } = config;
  const { budget } = config;
  const asked = { count: calibration, judges: budget !== undefined, verifies: budget?.maxDrop !== undefined };
  const texts = dataset === undefined ? undefined : await calibrationTexts(dataset.path, source, asked, ctx.signal);
  const { threads, signal } = ctx;
  const context = { threads, signal, onProgress: ctx.progress.bind(ctx) };
  const { model, metrics, decision } = await quantizeModel(source, config, texts, context, {}, recovery?.train);
  const folder = await ctx.output('model', 'model');
  await writeModel(folder, model);
  await writeDecision(folder, decision);
  return metrics;
};
