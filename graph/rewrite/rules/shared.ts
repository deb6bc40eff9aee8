import type { GraphBuilder } from '../../builder.ts';
import { attributesOf } from '../../call.ts';
import { type Graph, type Node, type TensorType, type Value, value } from '../../graph.ts';
import type { AttributeInput } from '../../op.ts';
import { numbersOf } from '../../tensor.ts';
import type { Place } from '../rule.ts';

/** Emits the node that stands for a matched root, under its name and with its type. */
export const emitRoot = (
  builder: GraphBuilder,
  place: Place,
  op: string,
  inputs: readonly (Value | null)[],
  attrs: AttributeInput = {},
): Value => {
  const [output] = place.root.outputs;
  if (output === undefined) throw new Error(`node '${place.root.name}' has no output`);
  const colon = op.indexOf(':');
  const node: Node = {
    op: op.slice(colon + 1),
    domain: op.slice(0, Math.max(colon, 0)),
    name: output,
    inputs,
    outputs: [output],
    attrs: attributesOf(attrs),
  };
  builder.add(node, () => place.graph.types.get(output));
  return output;
};

/** The number in a weight of one element. */
export const numberIn = (graph: Graph, name: Value): number => {
  const tensor = graph.weights.get(name);
  const [number] = tensor === undefined ? [] : numbersOf(tensor);
  if (number === undefined) throw new Error(`'${name}' holds no number`);
  return number;
};

export const near = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-5 * Math.abs(b);

export const typeOf = (graph: Graph, name: Value): TensorType | undefined => graph.types.get(name);

export const outputType = (graph: Graph, node: Node): TensorType | undefined =>
  graph.types.get(node.outputs[0] ?? value(''));

export const sameShape = (a: TensorType | undefined, b: TensorType | undefined): boolean =>
  a?.shape !== undefined && b?.shape !== undefined && a.shape.join() === b.shape.join();

export const permOf = (node: Node): string => {
  const perm = node.attrs.perm;
  return perm?.kind === 'ints' ? perm.value.join() : '';
};

export const intOf = (node: Node, name: string, fallback: number): number => {
  const attribute = node.attrs[name];
  return attribute?.kind === 'int' ? attribute.value : fallback;
};

const axesOf = (place: Place, reduce: Node): readonly number[] | undefined => {
  const attribute = reduce.attrs.axes;
  if (attribute?.kind === 'ints') return attribute.value;
  const input = reduce.inputs[1];
  const tensor = input ? place.graph.weights.get(input) : undefined;
  return tensor === undefined ? undefined : numbersOf(tensor);
};

/** Whether a mean runs over the last axis alone and leaves it there. */
export const overLastAxis = (place: Place, name: string, rank: number): boolean => {
  const reduce = place.node(name);
  const axes = axesOf(place, reduce);
  const last = axes?.length === 1 && (axes[0] === -1 || axes[0] === rank - 1);
  return last && intOf(reduce, 'keepdims', 1) === 1;
};
