import type { HostTensor } from '../../../engine/engine.ts';
import type { GraphBuilder } from '../../../graph/builder.ts';
import { differentiate } from '../../../graph/differentiate.ts';
import { type Graph, type Value, value } from '../../../graph/graph.ts';
import { modelError } from '../../../ground/errors.ts';
import { bypassLayer, type Layer, type Part } from '../../../models/anatomy.ts';
import type { Batch } from '../examples.ts';
import { type Gate, gatesOf } from '../gates.ts';
import { floatsOf, forEachBatch, inferenceOf } from '../measure.ts';
import type { Subject } from './criterion.ts';

const LOSS = 'prune.loss';
const TARGETS = 'prune.targets';

/** Adds the cross-entropy summed over the batch: - sum of target times log softmax(logits). */
const addLoss = (builder: GraphBuilder, logits: Value): Value => {
  const { dtype, shape } = builder.type(logits);
  const targets = builder.input(TARGETS, dtype, shape); // (batch, classes), one 1 a row
  const logProbabilities = builder.op('LogSoftmax', [logits], { axis: -1 });
  const likelihood = builder.op('ReduceSum', [builder.op('Mul', [targets, logProbabilities])], { keepdims: 0 });
  return builder.op('Neg', [likelihood], {}, LOSS);
};

/** A 1 at the class of each answer, in the shape of the model's scores: (batch, classes) or (batch, sequence, classes). */
const targetsOf = ({ texts, length, labels, rows }: Batch, classes: number, rank: number): HostTensor => {
  const dims = rank === 3 ? [texts, length, classes] : [texts, classes];
  const data = new Float32Array(dims.reduce((a, b) => a * b, 1));
  labels.forEach((label, i) => {
    if (label >= 0) data[(rows[i] ?? 0) * classes + label] = 1;
  });
  return { dtype: 'float32', dims, data };
};

const shapeOf = ({ graph, logits }: Subject): { readonly classes: number; readonly rank: number } => {
  const shape = graph.types.get(value(logits))?.shape;
  const classes = shape?.at(-1);
  if (typeof classes !== 'number') throw modelError(`the number of classes of '${logits}' is not known`);
  return { classes, rank: shape?.length ?? 2 };
};

/** Activation times gradient at a gate, summed over everything but batch and the gated axis: (batch, indices). */
const saliency = (builder: GraphBuilder, gate: Gate, gradient: Value): Value => {
  const rank = builder.type(gate.value).shape?.length ?? 0;
  const others = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => axis !== 0 && axis !== gate.axis);
  const product = builder.op('Mul', [gate.value, gradient]);
  return others.length === 0 ? product : builder.op('ReduceSum', [product, builder.ints(others)], { keepdims: 0 });
};

/** The model as inference sees it, with its loss. */
const withLoss = (subject: Subject) => {
  const { builder, resolve } = inferenceOf(subject, 'importance');
  return { builder, resolve, loss: addLoss(builder, resolve(value(subject.logits))) };
};

/** The loss needs to be told the classes. */
const targetFeeds = (subject: Subject): ((batch: Batch) => Readonly<Record<string, HostTensor>>) => {
  const { classes, rank } = shapeOf(subject);
  return (batch) => ({ [TARGETS]: targetsOf(batch, classes, rank) });
};

interface Measured {
  readonly graph: Graph;
  /** The graph's output with the saliencies of a gate, by the gate's key. */
  readonly outputs: ReadonlyMap<string, Value>;
}

const keyOf = (gate: Gate): string => `${gate.axis}:${gate.value}`;

const measuringGraph = (subject: Subject, gates: readonly Gate[]): Measured => {
  const { builder, resolve, loss } = withLoss(subject);
  const gradients = differentiate(builder, loss, [...new Set(gates.map((gate) => resolve(gate.value)))]);
  const outputs = new Map<string, Value>();
  for (const gate of gates) {
    const at = { ...gate, value: resolve(gate.value) };
    const gradient = gradients.get(at.value);
    if (gradient !== undefined && !outputs.has(keyOf(gate))) outputs.set(keyOf(gate), saliency(builder, at, gradient));
  }
  return { graph: builder.freeze([...new Set(outputs.values())], { keepInputs: false }), outputs };
};

/** Adds (sum of a g over all that a unit owns, at all its gates) squared, example by example. */
const accumulate = (
  sums: Float64Array,
  gates: readonly Gate[],
  saliencies: readonly Float32Array[],
  examples: number,
): void => {
  const effect = new Float64Array(sums.length);
  for (let example = 0; example < examples; example++) {
    effect.fill(0);
    gates.forEach(({ owner }, g) => {
      const start = example * owner.length;
      const values = saliencies[g];
      for (let i = 0; i < owner.length; i++) {
        const unit = owner[i] as number;
        if (unit >= 0) effect[unit] = (effect[unit] as number) + (values?.[start + i] ?? 0);
      }
    });
    for (let unit = 0; unit < sums.length; unit++) {
      sums[unit] = (sums[unit] as number) + (effect[unit] as number) ** 2;
    }
  }
};

export const scoreParts = async (
  subject: Subject,
  parts: readonly Part[],
): Promise<ReadonlyMap<Part, Float64Array>> => {
  const scores = new Map(parts.map((part) => [part, new Float64Array(part.count)]));
  if (parts.length === 0) return scores;
  const gates = parts.map((part) => (part.group === undefined ? [] : gatesOf(subject.graph, part.group)));
  const { graph, outputs } = measuringGraph(subject, gates.flat());
  await forEachBatch(subject, graph, targetFeeds(subject), (results, { texts }) => {
    parts.forEach((part, i) => {
      const reached = (gates[i] ?? []).filter((gate) => outputs.has(keyOf(gate)));
      const values = reached.map((gate) => floatsOf(results[outputs.get(keyOf(gate)) ?? '']));
      accumulate(scores.get(part) ?? new Float64Array(), reached, values, texts);
    });
  });
  return scores;
};

/** Mean cross-entropy of a graph on the examples, in nats. */
const meanLoss = async (subject: Subject): Promise<number> => {
  const { builder, loss } = withLoss(subject);
  const graph = builder.freeze([loss], { keepInputs: false });
  let [sum, count] = [0, 0];
  await forEachBatch(subject, graph, targetFeeds(subject), (results, { labels }) => {
    sum += floatsOf(results[LOSS])[0] ?? 0;
    count += labels.length;
  });
  return sum / Math.max(1, count);
};

export const scoreLayers = async (subject: Subject, layers: readonly Layer[]): Promise<Float64Array> => {
  const losses = new Float64Array(layers.length);
  for (const [i, layer] of layers.entries()) {
    losses[i] = await meanLoss({ ...subject, graph: bypassLayer(subject.graph, layer) });
  }
  return losses;
};
