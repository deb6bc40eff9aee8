import { GraphBuilder } from '../graph/builder.ts';
import type { Shape } from '../graph/dim.ts';
import { type Graph, type Node, type Value, value } from '../graph/graph.ts';
import type { Gradient } from '../graph/op.ts';
import { numbersOf } from '../graph/tensor.ts';
import { modelError } from '../ground/errors.ts';
import { type Faked, FakeReads } from './faked.ts';
import type { Changing } from './gated.ts';
import { maskShapes } from './mask-shape.ts';
import { keptScale } from './masks.ts';

/** An input of the step graph that the host fills with 0 and 1 before every run; the graph scales it by 1 / (1 - ratio). */
export interface DropoutMask {
  readonly input: Value;
  readonly shape: Shape;
  readonly ratio: number;
}

export interface AbsorbOptions {
  /** Names of values of the step graph that stand for inputs of the absorbed graph. */
  readonly inputs: ReadonlyMap<Value, Value>;
  /** Put in front of every other name, so that two models fit one graph. */
  readonly prefix?: string;
  /** Weights that become inputs, fed by the trainer, instead of initializers. */
  readonly fed?: ReadonlySet<Value>;
  /** 'off' leaves Dropout out, as inference does; a number overrides the ratio of every Dropout node. */
  readonly dropout?: 'off' | number | undefined;
  /** Weights that are read as they will be stored. */
  readonly faked?: Faked | undefined;
  /** What a value goes on as where that is another one, by its name in the absorbed graph. */
  readonly changed?: Changing | undefined;
}

export interface Absorbed {
  /** The name under which a value of the absorbed graph goes on in the step graph. */
  resolve(name: Value): Value;
  /** Rows as they were looked up, before they are read as they will be stored. */
  found(rows: Value): Value;
  /** Rules of differentiation of what this added. */
  ruleAt(node: Node): Gradient | undefined;
  readonly masks: readonly DropoutMask[];
}

/** ONNX: a Dropout node without a ratio drops half. */
const DEFAULT_RATIO = 0.5;

const ratioOf = (graph: Graph, node: Node): number => {
  const [, ratio] = node.inputs;
  if (ratio === undefined || ratio === null) return DEFAULT_RATIO;
  const tensor = graph.weights.get(ratio);
  const [found] = tensor === undefined ? [] : numbersOf(tensor);
  if (found === undefined) throw modelError(`the ratio '${ratio}' of Dropout '${node.name}' is no constant`);
  return found;
};

/** A builder with the inputs of a graph, which others may join: its weights and nodes come with `absorb`. */
export const bare = (graph: Graph, purpose: string): GraphBuilder =>
  GraphBuilder.like(graph, { name: `${graph.name}-${purpose}`, weights: new Map() });

/** Weights that are fed become inputs, others stay weights. */
const addWeights = (
  builder: GraphBuilder,
  graph: Graph,
  { fed }: Pick<AbsorbOptions, 'fed'>,
  resolve: (name: Value) => Value,
): void => {
  for (const [name, tensor] of graph.weights) {
    if (fed?.has(name)) builder.input(resolve(name), tensor.dtype, tensor.dims);
    else builder.weight(resolve(name), tensor, graph.origins?.get(name)?.map(resolve));
  }
};

/**
 * Adds a model's weights and nodes to a graph under construction. Dropout becomes a multiplication by a mask that the
 * host draws (Srivastava et al. 2014), a byte an element: a training step is then a plain function of its inputs.
 */
export const absorb = (builder: GraphBuilder, graph: Graph, options: AbsorbOptions): Absorbed => {
  const { prefix = '', dropout } = options;
  const names = new Map<Value, Value>(options.inputs);
  const masks: DropoutMask[] = [];
  const maskShape = maskShapes(graph);
  const resolve = (name: Value): Value => names.get(name) ?? value(`${prefix}${name}`);
  const reads = new FakeReads(builder, graph, options.faked ?? new Map(), resolve);

  addWeights(builder, graph, options, resolve);
  const drop = (node: Node): void => {
    const [[x], [y]] = [node.inputs, node.outputs];
    if (x === undefined || x === null || y === undefined) throw new Error(`Dropout '${node.name}' lacks its input`);
    const ratio = dropout === 'off' ? 0 : (dropout ?? ratioOf(graph, node));
    if (ratio === 0) {
      names.set(y, resolve(x));
      return;
    }
    const shape = maskShape(x, builder.type(resolve(x)).shape);
    if (shape === undefined) throw modelError(`the shape of '${x}' is unknown, so Dropout '${node.name}' has no mask`);
    const input = builder.input(`${prefix}dropout/${masks.length}`, 'uint8', shape);
    masks.push({ input, shape, ratio });
    const mask = builder.op('DequantizeLinear', [input, builder.scalar('float32', keptScale(ratio))]);
    builder.add({ ...node, op: 'Mul', inputs: [resolve(x), mask], outputs: [resolve(y)], attrs: {} });
  };
  const add = (node: Node): void => {
    const name = `${prefix}${node.name}`;
    const table = reads.lookedUp(node);
    const [rows] = node.outputs;
    if (table !== undefined && rows !== undefined) {
      names.set(rows, reads.rows(node, table, name));
      return;
    }
    const outputs = node.outputs.map(resolve);
    const types = new Map(node.outputs.map((output) => [resolve(output), graph.types.get(output)]));
    const read = (input: Value, place: number): Value =>
      (place === 0 ? reads.input(node) : undefined) ?? reads.weight(input) ?? resolve(input);
    const inputs = node.inputs.map((input, place) => (input === null ? null : read(input, place)));
    builder.add({ ...node, name, inputs, outputs }, (output) => types.get(output));
  };
  for (const node of graph.nodes) {
    if (node.op === 'Dropout' && node.domain === '') drop(node);
    else add(node);
    for (const output of node.outputs) {
      const changed = options.changed?.(output, resolve);
      if (changed !== undefined) names.set(output, changed);
    }
  }
  return { resolve, masks, found: (rows) => reads.found(rows) ?? resolve(rows), ruleAt: (node) => reads.ruleAt(node) };
};
