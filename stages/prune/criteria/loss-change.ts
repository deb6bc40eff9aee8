import type { LossInput } from '../../../engine/losses/loss.ts';
import { buildLoss } from '../../../engine/step.ts';
import type { GraphBuilder } from '../../../graph/builder.ts';
import { differentiate } from '../../../graph/differentiate.ts';
import type { Graph, Value } from '../../../graph/graph.ts';
import { bypassLayer, type Layer, type Part } from '../../../models/anatomy.ts';
import { type Gate, gatesOf } from '../gates.ts';
import { floatsOf, forEachBatch } from '../measure.ts';
import type { Subject } from './criterion.ts';

/** Activation times gradient at a gate, summed over everything but batch and the gated axis: (batch, indices). */
const saliency = (builder: GraphBuilder, gate: Gate, gradient: Value): Value => {
  const rank = builder.type(gate.value).shape?.length ?? 0;
  const others = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => axis !== 0 && axis !== gate.axis);
  const product = builder.op('Mul', [gate.value, gradient]);
  return others.length === 0 ? product : builder.op('ReduceSum', [product, builder.ints(others)], { keepdims: 0 });
};

/** What is left of the model as inference computes it, with the loss of its task. */
const withLoss = ({ graph, model, asked }: Subject) => {
  if (asked === undefined) throw new Error('a loss needs texts');
  return buildLoss(asked.task.answering({ ...model, graph }), asked.losses, 'importance');
};

interface Measured {
  readonly graph: Graph;
  /** The graph's output with the saliencies of a gate, by the gate's key. */
  readonly outputs: ReadonlyMap<string, Value>;
  readonly inputs: readonly LossInput[];
}

const keyOf = (gate: Gate): string => `${gate.axis}:${gate.value}`;

const measuringGraph = (subject: Subject, gates: readonly Gate[]): Measured => {
  const { builder, resolve, total, inputs } = withLoss(subject);
  const gradients = differentiate(builder, total, [...new Set(gates.map((gate) => resolve(gate.value)))]);
  const outputs = new Map<string, Value>();
  for (const gate of gates) {
    const at = { ...gate, value: resolve(gate.value) };
    const gradient = gradients.get(at.value);
    if (gradient !== undefined && !outputs.has(keyOf(gate))) outputs.set(keyOf(gate), saliency(builder, at, gradient));
  }
  return { graph: builder.freeze([...new Set(outputs.values())], { keepInputs: false }), outputs, inputs };
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
  const { graph, outputs, inputs } = measuringGraph(subject, gates.flat());
  await forEachBatch(subject, { graph, inputs }, (results, { texts }) => {
    parts.forEach((part, i) => {
      const reached = (gates[i] ?? []).filter((gate) => outputs.has(keyOf(gate)));
      const values = reached.map((gate) => floatsOf(results[outputs.get(keyOf(gate)) ?? '']));
      accumulate(scores.get(part) ?? new Float64Array(), reached, values, texts);
    });
  });
  return scores;
};

/** Mean loss of a graph on the examples. */
const meanLoss = async (subject: Subject): Promise<number> => {
  const { builder, total, inputs } = withLoss(subject);
  const graph = builder.freeze([total], { keepInputs: false });
  let [sum, count] = [0, 0];
  await forEachBatch(subject, { graph, inputs }, (results, { step }) => {
    sum += floatsOf(results[total])[0] ?? 0;
    count += step.numbers.length;
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
