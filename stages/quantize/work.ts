import { type QuantizeOptions, type QuantizeReport, quantizeWeights } from '../../graph/quantize/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { stageError, type UserError } from '../../ground/errors.ts';
import type { Json } from '../../ground/json.ts';
import { hiddenStatesIn } from '../../models/anatomy/hidden-states.ts';
import { readModelArtifact, writeModel } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { isQuantized } from '../../models/quantized.ts';
import type { StageRun } from '../stage.ts';
import { type Deviation, judgeOf } from './check.ts';
import { type Decision, writeDecision } from './decision.ts';
import type { Config, Reported } from './index.ts';

/** Matrices only: vectors are float in every quantized model. */
const reportJson = ({ weights, quantized, bytesBefore, bytesAfter }: QuantizeReport): Json => {
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

const metricsOf = (report: QuantizeReport, found: Deviation): Reported => ({
  quantization: reportJson(report),
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

/** A model that stays as it is would be refused as an INT8 file much later, and be none in the report until then. */
const nothingQuantized = ({ weights }: QuantizeReport): UserError => {
  const counts = new Map<string, number>();
  for (const { dims, reason } of weights) {
    if (dims.length === 2 && reason !== undefined) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).join(', ');
  return stageError(
    `no matrix of this model can be stored in 8 bits${reasons === '' ? '' : ` (${reasons})`}: leave quantization out, exclude less, or take a larger model`,
  );
};

/** How much the check of a quantized model has done, and when to stop it. */
export interface QuantizeContext {
  readonly threads: number;
  readonly signal: AbortSignal;
  onText(done: number, total: number): void;
}

/** Fuses a model for inference, stores it in 8-bit integers and proves that it follows its source. */
export const quantizeModel = async (
  source: Model,
  options: QuantizeOptions,
  context: QuantizeContext,
): Promise<{ readonly model: Model; readonly metrics: Reported; readonly decision: Decision }> => {
  if (isQuantized(source.graph)) {
    throw stageError('the model is quantized already; take the model from before with from: ID');
  }
  const judge = await judgeOf(source, context);
  const { graph, report, choices } = quantizeWeights(fuseForInference(source.graph), options);
  if (report.quantized === 0) throw nothingQuantized(report);
  const model: Model = { ...source, graph, info: { ...source.info, ...hiddenStatesIn(graph, source.info) } };
  const found = await judge(model);
  return { model, metrics: metricsOf(report, proved(found)), decision: choices };
};

export const run: StageRun<Config, Reported> = async (inputs, { embeddings, reduceRange, exclude }, ctx) => {
  const { model: input } = inputs;
  if (input === undefined) throw new Error('quantize needs a model');
  const source = await readModelArtifact(input.path);
  const { model, metrics, decision } = await quantizeModel(
    source,
    { embeddings, reduceRange, exclude },
    {
      threads: ctx.threads,
      signal: ctx.signal,
      onText: (done, total) => ctx.progress({ done, total, unit: 'texts', phase: 'comparing with the source' }),
    },
  );
  const folder = await ctx.output('model', 'model');
  await writeModel(folder, model);
  await writeDecision(folder, decision);
  return metrics;
};
