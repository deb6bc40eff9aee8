import { GraphBuilder } from '../builder.ts';
import type { Graph, Node, Value } from '../graph.ts';
import { uniqueNames } from '../node-names.ts';
import { sitesAt } from '../sites.ts';
import { type Choice, chooseWeights, type QuantizeOptions } from './choose.ts';
import { type Emission, emitAttention, emitLinear, emitLookup, emitStored } from './emit.ts';
import { formAt } from './forms.ts';
import { quantizeError } from './weights.ts';

export type { QuantizeOptions } from './choose.ts';

/** What happened to one float weight. */
interface WeightReport {
  readonly name: string;
  readonly dims: readonly number[];
  /** 'int8', or 'float32' with the reason. */
  readonly storage: 'int8' | 'float32';
  readonly reason?: string;
  readonly bytesBefore: number;
  /** Integers and steps together. */
  readonly bytesAfter: number;
}

export interface QuantizeReport {
  readonly weights: readonly WeightReport[];
  readonly quantized: number;
  readonly kept: number;
  /** Bytes of all float weights before, and of what stands for them after. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

/** DynamicQuantizeLinear came with this operator set. */
const firstOpset = 11;

/** How a node computes with quantized weights, where it does. */
const emitterOf = (
  graph: Graph,
  choices: ReadonlyMap<Value, Choice>,
  node: Node,
): ((emission: Emission, node: Node) => void) | undefined => {
  for (const site of sitesAt(graph, node)) {
    const choice = choices.get(site.weight);
    if (choice === undefined || !('form' in choice) || choice.form !== formAt(site)) continue;
    if (choice.form === 'table') return emitLookup;
    return node.domain === '' ? emitLinear : emitAttention;
  }
  return undefined;
};

/** Integers and four bytes of step for every column. */
const bytesAfter = (choice: Choice, dims: readonly number[], before: number): number => {
  if (!('form' in choice)) return before;
  const [rows = 0, columns = 0] = dims;
  return rows * columns + 4 * columns;
};

const reportOf = (graph: Graph, choices: ReadonlyMap<Value, Choice>): QuantizeReport => {
  const weights = [...choices].map(([name, choice]): WeightReport => {
    const tensor = graph.weights.get(name);
    const dims = tensor?.dims ?? [];
    const before = tensor?.bytes.length ?? 0;
    const common = { name, dims, bytesBefore: before, bytesAfter: bytesAfter(choice, dims, before) };
    return 'form' in choice ? { ...common, storage: 'int8' } : { ...common, storage: 'float32', reason: choice.kept };
  });
  const sum = (of: (weight: WeightReport) => number): number => weights.reduce((total, w) => total + of(w), 0);
  const quantized = weights.filter((weight) => weight.storage === 'int8').length;
  return {
    weights,
    quantized,
    kept: weights.length - quantized,
    bytesBefore: sum((weight) => weight.bytesBefore),
    bytesAfter: sum((weight) => weight.bytesAfter),
  };
};

/**
 * Stores matrices and embedding tables as 8-bit integers and multiplies in 8 bits, with activations quantized at run
 * time over the whole tensor they arrive in. Classifiers compute in float with a matrix that the file holds in 8 bits;
 * small weights stay in float.
 */
export const quantizeDynamic = (
  graph: Graph,
  options: QuantizeOptions = {},
): { readonly graph: Graph; readonly report: QuantizeReport; readonly choices: ReadonlyMap<Value, Choice> } => {
  const opset = graph.opsets[''] ?? 0;
  if (opset < firstOpset) {
    throw quantizeError(`'${graph.name}' has operator set ${opset}; quantization needs ${firstOpset} or newer`);
  }
  const choices = chooseWeights(graph, options);
  const builder = GraphBuilder.like(graph);
  const limit = options.reduceRange ? 63 : 127;
  const emission: Emission = { graph, builder, limit, activations: new Map(), weights: new Map() };
  const stands = new Map<Value, Value>();
  for (const [name, choice] of choices) {
    if ('form' in choice && choice.form === 'stored') stands.set(name, emitStored(emission, name));
  }
  for (const node of graph.nodes) {
    const emit = emitterOf(graph, choices, node);
    const inputs = node.inputs.map((input) => (input === null ? null : (stands.get(input) ?? input)));
    if (emit === undefined) builder.add({ ...node, inputs }, (value) => graph.types.get(value));
    else emit(emission, node);
  }
  return { graph: uniqueNames(builder.freeze(graph.outputs)), report: reportOf(graph, choices), choices };
};
