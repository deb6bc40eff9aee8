import { GraphBuilder } from '../builder.ts';
import { callOf, inferNode, type Known } from '../call.ts';
import type { Dim } from '../dim.ts';
import {
  type Attribute,
  capturedBy,
  type Graph,
  indexOf,
  type Node,
  opsetOf,
  readingAs,
  type Value,
} from '../graph.ts';
import { tensorOfConstant } from '../ops/constant.ts';
import { isFloat } from '../ops/shared-structure.ts';
import { mayDraw } from '../random.ts';
import { elementCount, isWhole, type Tensor, vector } from '../tensor.ts';
import { evaluate } from './evaluate.ts';

interface Folding {
  readonly graph: Graph;
  readonly builder: GraphBuilder;
  readonly known: Known;
  /** Values that stand for others: their producers went. */
  readonly alias: Map<Value, Value>;
  /** Names that must survive: outputs, and what bodies of If and Loop read. */
  readonly kept: ReadonlySet<Value>;
  /** The first node of each computation, by what it computes. */
  readonly seen: Map<string, Node>;
  /** Values that are read by several computations, under whatever name. */
  readonly shared: ReadonlySet<Value>;
  /** Values that stand for such a one. */
  readonly tied: Set<Value>;
}

const knownOf = (builder: GraphBuilder): Known => ({
  type: (value) => (builder.hasType(value) ? builder.type(value) : undefined),
  weight: (value) => builder.weightOf(value),
  ints: (value) => builder.intsOf(value),
});

/** Constants this small are shared by content. */
const shareLimit = 64;

/** Whether a tensor may be trained: no single number, and no integers. */
const mayLearn = ({ dtype, dims }: Tensor): boolean => isFloat(dtype) && elementCount(dims) > 1;

/** What may be trained is shared with nothing: two biases of zeros are two. */
const hold = (folding: Folding, output: Value, tensor: Tensor): void => {
  const { builder, kept, alias } = folding;
  if (kept.has(output) || elementCount(tensor.dims) > shareLimit || mayLearn(tensor)) builder.weight(output, tensor);
  else alias.set(output, builder.constant(tensor));
};

/** Integers that shape arithmetic worked out; those that doubles only come near are left to their bytes. */
const shapeConstant = (ints: readonly Dim[] | undefined, dtype: string, shape: readonly Dim[] | undefined) => {
  const numbers = (ints ?? []).filter((item) => typeof item === 'number').filter(isWhole);
  const dims = (shape ?? []).filter((item) => typeof item === 'number');
  const whole = ints !== undefined && numbers.length === ints.length && dims.length === shape?.length;
  return whole && (dtype === 'int64' || dtype === 'int32') ? vector(dtype, numbers, dims) : undefined;
};

const constantAttribute = (node: Node): Tensor | undefined =>
  node.op === 'Constant' && node.domain === '' ? tensorOfConstant(node) : undefined;

const isTied = ({ shared, tied }: Folding, name: Value): boolean => tied.has(name) || shared.has(name);

/** Whether a copy of a weight would be made: trained apart, the two would drift. The runtime computes it once at load. */
const wouldUntie = (folding: Folding, { inputs }: Node): boolean =>
  inputs.some((name) => {
    if (name === null || !isTied(folding, name)) return false;
    const tensor = folding.builder.weightOf(folding.alias.get(name) ?? name);
    return tensor !== undefined && mayLearn(tensor);
  });

const constantOf = (folding: Folding, node: Node, original: Node): Tensor | undefined => {
  const written = constantAttribute(node);
  if (written !== undefined || node.outputs.length !== 1) return written;
  const call = callOf(node, opsetOf(folding.graph.opsets, node.domain), folding.known);
  const type = inferNode(call)?.[0];
  if (type === undefined) return undefined;
  const inputs = node.inputs.flatMap((input) => (input === null ? [] : [folding.builder.weightOf(input)]));
  const tensors = inputs.filter((tensor) => tensor !== undefined);
  const shape = shapeConstant(type.ints, type.dtype, type.shape);
  if (shape !== undefined || tensors.length < inputs.length || wouldUntie(folding, original)) return shape;
  return evaluate(node, tensors, type);
};

const isOff = (tensor: Tensor | undefined): boolean => tensor !== undefined && tensor.bytes.read()[0] === 0;

/** Dropout does nothing unless it is told that it trains. */
const isIdleDropout = (folding: Folding, node: Node): boolean => {
  const training = node.inputs[2] ?? null;
  return node.op === 'Dropout' && (training === null || isOff(folding.builder.weightOf(training)));
};

const isIdentityTranspose = (node: Node): boolean => {
  const perm = node.attrs.perm;
  return node.op === 'Transpose' && perm?.kind === 'ints' && perm.value.every((axis, i) => axis === i);
};

const reshapers: ReadonlySet<string> = new Set(['Cast', 'Reshape', 'Expand']);

/** Casts and reshapes to what the value already is. */
const changesNothing = (folding: Folding, node: Node, input: Value): boolean => {
  if (!reshapers.has(node.op)) return false;
  const before = folding.known.type(input);
  const after = inferNode(callOf(node, folding.builder.opset, folding.known))?.[0];
  if (before?.shape === undefined || after?.shape === undefined) return false;
  return before.dtype === after.dtype && before.shape.join() === after.shape.join();
};

/** The value that a node passes on unchanged. */
const passedOn = (folding: Folding, node: Node): Value | undefined => {
  const input = node.inputs[0] ?? undefined;
  if (node.domain !== '' || input === undefined) return undefined;
  const idle = node.op === 'Identity' || isIdleDropout(folding, node) || isIdentityTranspose(node);
  return idle || changesNothing(folding, node, input) ? input : undefined;
};

const attributeText = (attribute: Attribute): string =>
  attribute.kind === 'tensor' || attribute.kind === 'graph'
    ? ''
    : JSON.stringify(attribute, (_, item: unknown) => (typeof item === 'bigint' ? item.toString() : item));

/** Text that two nodes share exactly when they compute the same; undefined where that cannot be told. */
const computationOf = (node: Node): string | undefined => {
  const attrs = Object.entries(node.attrs).sort(([a], [b]) => (a < b ? -1 : 1));
  // What is written twice may be meant as two: two biases of zeros.
  if (node.op === 'Constant' || mayDraw(node) || attrs.some(([, attribute]) => attributeText(attribute) === ''))
    return undefined;
  const texts = attrs.map(([name, attribute]) => [name, attributeText(attribute)]);
  return JSON.stringify([node.domain, node.op, node.inputs, node.outputs.map((o) => o === ''), texts]);
};

/** Values that several computations read; nodes that repeat each other are one, and a copy is what it copies. */
const sharedIn = (graph: Graph, kept: ReadonlySet<Value>): ReadonlySet<Value> => {
  const copied = new Map<Value, Value>();
  const source = (name: Value): Value => copied.get(name) ?? name;
  const readers = new Map<Value, Set<string | Node>>();
  for (const node of graph.nodes) {
    const { inputs } = readingAs(node, source);
    const [first = null] = inputs;
    const isCopy = node.op === 'Identity' && node.domain === '' && first !== null;
    if (isCopy) for (const output of node.outputs) copied.set(output, first);
    for (const name of isCopy ? [] : new Set(inputs)) {
      if (name === null) continue;
      readers.set(name, (readers.get(name) ?? new Set()).add(computationOf({ ...node, inputs }) ?? node));
    }
  }
  const several = (name: Value): boolean => kept.has(name) || (readers.get(name)?.size ?? 0) > 1;
  const out = [...copied.keys()].filter((name) => kept.has(name)).map(source);
  const shared = new Set([...[...readers.keys(), ...kept].filter(several), ...out]);
  return new Set([...shared, ...[...copied].filter(([, name]) => shared.has(name)).map(([name]) => name)]);
};

/** Lets a node that repeats an earlier one go. */
const isRepeated = (folding: Folding, node: Node): boolean => {
  const computation = computationOf(node);
  if (computation === undefined) return false;
  const earlier = folding.seen.get(computation);
  if (earlier === undefined) folding.seen.set(computation, node);
  if (earlier === undefined || node.outputs.some((output) => folding.kept.has(output))) return false;
  node.outputs.forEach((output, i) => {
    const stands = earlier.outputs[i] ?? output;
    folding.alias.set(output, folding.alias.get(stands) ?? stands);
  });
  return true;
};

const foldNode = (folding: Folding, original: Node): void => {
  const { alias, builder, kept, graph } = folding;
  const node = readingAs(original, (input) => alias.get(input) ?? input);
  const [output] = node.outputs;
  if (output === undefined || isRepeated(folding, node)) return;
  const tensor = constantOf(folding, node, original);
  if (tensor !== undefined) {
    hold(folding, output, tensor);
    return;
  }
  const source = passedOn(folding, node);
  const { users } = indexOf(graph);
  const alone = node.outputs.slice(1).every((extra) => !users.has(extra) && !kept.has(extra));
  if (source !== undefined && alone) {
    if (!kept.has(output)) {
      alias.set(output, source);
      if (original.inputs.some((input) => input !== null && isTied(folding, input))) folding.tied.add(output);
    } else builder.add({ ...node, op: 'Identity', inputs: [source], outputs: [output], attrs: {} });
    return;
  }
  builder.add(node, (value) => graph.types.get(value));
};

/**
 * The graph with everything computed that does not depend on the inputs: constants and shape arithmetic become weights,
 * nodes that pass a value on (Identity, Dropout in inference) and repeated computations go, and so does dead code.
 */
export const foldConstants = (graph: Graph): Graph => {
  const builder = GraphBuilder.like(graph);
  const kept = new Set([...graph.outputs, ...graph.nodes.flatMap(capturedBy)]);
  const folding: Folding = {
    graph,
    builder,
    known: knownOf(builder),
    alias: new Map(),
    kept,
    seen: new Map(),
    shared: sharedIn(graph, kept),
    tied: new Set(),
  };
  for (const node of graph.nodes) foldNode(folding, node);
  return builder.freeze(graph.outputs);
};
