import { weightBytes } from '../../graph/codec/index.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import { peakOfValues } from '../../graph/liveness.ts';
import { byteSize } from '../../graph/tensor.ts';
import type { Model } from '../../models/model.ts';
import { symbolsFor } from '../feeds.ts';
import { soonest } from '../order.ts';
import type { TrainingStep } from '../step.ts';

/** What one pass reads. */
export interface Pass {
  readonly texts: number;
  /** Positions of the longest text, to which all are filled up. */
  readonly length: number;
  readonly answers: number;
}

/** Values that lie in arrays of their own whatever a pass reads: weights, and gradients of their shape. */
const keptElsewhere = ({ graph, parameters }: TrainingStep, model: Model): ReadonlySet<Value> =>
  new Set([
    ...graph.inputs.filter((input) => model.graph.weights.has(input)),
    ...parameters.flatMap(({ name, gradient }) => {
      const dense = gradient.kind === 'dense' ? gradient.output : gradient.dense;
      return dense === undefined ? [name] : [name, dense];
    }),
  ]);

const peakOf = (
  graph: Graph,
  model: Model,
  elsewhere: ReadonlySet<Value>,
  held: (bytes: number) => number = (bytes) => bytes,
): ((pass: Pass) => number) => {
  const peak = peakOfValues(graph, elsewhere, { held });
  return ({ texts, length, answers }) => peak(symbolsFor(model, { batch: texts, sequence: length, past: 0, answers }));
};

/**
 * The most bytes that activations and their gradients hold at once in a step, by what is alive between its nodes in the order
 * in which they run. What a runtime takes for them is more.
 */
export const activationsOf = (step: TrainingStep, model: Model): ((pass: Pass) => number) =>
  peakOf(soonest(step.graph), model, keptElsewhere(step, model));

/**
 * What a runtime takes for values beyond what these hold: pieces of memory that are free do not fit the next value. Steps of
 * ONNX Runtime on the CPU took 1.08 to 1.57 (docs/results/training.md); large values are few, of one size, and fit each other's
 * pieces.
 */
const ARENA = 1.4;
const LARGE = 64e6;
const inArena = (bytes: number): number => (bytes >= LARGE ? bytes : ARENA * bytes);

/** The most bytes that a runtime takes for them. */
export const takenBy = (step: TrainingStep, model: Model): ((pass: Pass) => number) =>
  peakOf(soonest(step.graph), model, keptElsewhere(step, model), inArena);

/** What a runtime takes for those of a model that is asked with weights that it is fed. */
export const answeringOf = (graph: Graph, model: Model): ((pass: Pass) => number) =>
  peakOf(graph, model, new Set(graph.inputs.filter((input) => model.graph.weights.has(input))), inArena);

/** Bytes of all parameters, once. */
export const parameterBytes = ({ parameters }: Pick<TrainingStep, 'parameters'>): number =>
  parameters.reduce((sum, { dims }) => sum + byteSize('float32', dims), 0);

/** Bytes of weights that stand still, in the graph or fed. */
export const frozenBytes = ({ graph, parameters }: TrainingStep, model: Model): number => {
  const moving = new Set(parameters.map(({ name }) => name));
  const fed = graph.inputs
    .filter((input) => !moving.has(input))
    .flatMap((input) => model.graph.weights.get(input) ?? []);
  return fed.reduce((sum, { bytes }) => sum + bytes.length, weightBytes(graph));
};

/** What code, programs and garbage take between a step that was compiled and its tenth run, whatever it reads. */
export const BESIDE = 24e6;

/** How often all parameters are there once more, as soon as updates run, beside what is held when a step was compiled. */
export interface Copies {
  /** The optimizer runs on the host, over memory that is not touched before the first update. */
  readonly onHost: boolean;
  /** The device has memory of its own, which held nothing before. */
  readonly apart: boolean;
  readonly accumulates: boolean;
  readonly keepsBest: boolean;
}

/**
 * On the host gradients and two moments, in a device's own memory the weights as well, and where the optimizer is a part of the
 * graph new weights and moments beside the old ones.
 */
export const copiesOf = ({ onHost, apart, accumulates, keepsBest }: Copies): number => {
  const sums = Number(accumulates);
  if (apart) return onHost ? 2 : 7 + 2 * sums;
  return (onHost ? 3 + sums : 6 + sums) + Number(keepsBest);
};
