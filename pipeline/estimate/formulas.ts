import { askingNeed } from '../../engine/memory/asking.ts';
import { type TrainingNeed, trainingNeed } from '../../engine/memory/training.ts';
import { weightBytes } from '../../graph/codec/index.ts';
import type { Dim } from '../../graph/dim.ts';
import type { Graph } from '../../graph/graph.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { isRefusal, messageOf } from '../../ground/errors.ts';
import { inFloats } from '../../models/anatomy/in-floats.ts';
import { lookedAt } from '../../models/foreign.ts';
import { anatomySummary, inspectGraph, macsIn } from '../../models/inspect.ts';
import type { PassSize, Work } from '../../models/inspection.ts';
import type { Model } from '../../models/model.ts';
import { isQuantized } from '../../models/quantized.ts';
import { type Amounts, elementsIn, matrixBytes, workByFormula } from '../../models/work.ts';
import { type Reach, rememberedBytes, sizesOf } from './subject.ts';

/** A graph as it is, and the model that it belongs to where decant knows what its inputs are for. */
export interface Given {
  readonly graph: Graph;
  readonly model?: Model;
}

/** What one pass does, by formula and by its operators. */
export interface PassEstimate {
  readonly work: Work;
  /** Floating-point operations of its operators. */
  readonly counted: number;
  readonly amounts: Amounts;
  /** Memory of a process that runs it. */
  readonly bytes: number;
}

const numbersIn = (sizes: Readonly<Record<string, Dim>>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(sizes).flatMap(([name, size]) => (typeof size === 'number' ? [[name, size]] : [])));

/** What a pass of a graph comes to; what is remembered of positions before is read, and written with the new ones behind. */
export const passEstimate = ({ graph, model }: Given, reach: Reach): PassEstimate => {
  const normal = inFloats(lookedAt(graph));
  const fused = fuseForInference(graph);
  const sizes = sizesOf(fused, model?.info, reach);
  const work = workByFormula(normal, reach.batch, sizesOf(normal, model?.info, reach));
  const cache = model === undefined ? 0 : rememberedBytes(model.info, reach);
  return {
    work,
    counted: 2 * macsIn(graph, sizesOf(graph, model?.info, reach)),
    amounts: { flops: work.forward, bytes: matrixBytes(fused) + 2 * cache, elements: elementsIn(fused, sizes) },
    bytes: askingNeed(fused, numbersIn(sizes)),
  };
};

/** Parameters and bytes of weights. */
export const sizesOfWeights = ({ graph }: Given): { readonly parameters: number; readonly weights: number } => ({
  parameters: inspectGraph(graph, { length: 1, normal: lookedAt(graph) }).parameters,
  weights: weightBytes(graph),
});

const FLOAT = 4;

/** What an update takes, by the graph of its step where decant can train the model, else by its parameters alone. */
export const updateEstimate = (
  { graph, model }: Given,
  { batch, length }: PassSize,
): { readonly need: TrainingNeed | undefined; readonly why?: string } => {
  if (model === undefined) return { need: undefined, why: 'what its inputs are for is not known' };
  const layers = anatomySummary(graph)?.layers ?? [];
  if (isQuantized(graph)) return { need: undefined, why: 'its weights are stored in 8 bits or fewer' };
  try {
    return { need: trainingNeed(model, { texts: batch, length }, layers.length > 0) };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return { need: undefined, why: messageOf(error) };
  }
};

/** Bytes of gradients, and of the two moments of AdamW, of so many parameters. */
export const stateOf = (parameters: number) => ({
  gradients: FLOAT * parameters,
  optimizer: 2 * FLOAT * parameters,
});
