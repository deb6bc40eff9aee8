import { GraphBuilder } from '../graph/builder.ts';
import { type Graph, type Node, readingAs, readsOf, type Value, value } from '../graph/graph.ts';
import { modelError } from '../ground/errors.ts';
import type { Model } from './model.ts';
import { expectInput, inputOf, type Signature } from './signature.ts';
import { sourceFeatures } from './source.ts';

/** The two graphs that clients load: what reads a source, and what writes, which is fed what the source became. */
export interface Sides {
  readonly encoder: Graph;
  readonly decoder: Graph;
}

/** What clients call what goes from one to the other, and the inputs of the decoder. */
const FEATURES = value('last_hidden_state');
export const GIVEN = value('encoder_hidden_states');
export const WRITTEN = value('input_ids');
export const SOURCE_MASK = value('encoder_attention_mask');

/** A part of a graph, some of its values under other names. */
const partOf = (
  graph: Graph,
  inputs: readonly Value[],
  outputs: readonly Value[],
  nameOf: (name: Value) => Value,
): Graph => {
  const given = new Set(inputs);
  const builder = new GraphBuilder(graph.name, graph.opsets);
  for (const name of inputs) {
    const { dtype = 'float32', shape } = graph.types.get(name) ?? {};
    builder.input(nameOf(name), dtype, shape);
  }
  for (const [name, tensor] of graph.weights) builder.weight(name, tensor, graph.origins?.get(name));
  for (const node of graph.nodes) {
    if (node.outputs.some((output) => given.has(output))) continue;
    if (!readsOf(node).every((input) => builder.hasType(nameOf(input)))) continue;
    const named: Node = { ...readingAs(node, nameOf), outputs: node.outputs.map(nameOf) };
    builder.add(named, (output) => graph.types.get(node.outputs[named.outputs.indexOf(output)] ?? output));
  }
  return builder.freeze(outputs.map(nameOf));
};

const renaming = (pairs: readonly (readonly [Value, Value])[]): ((name: Value) => Value) => {
  const names = new Map(pairs);
  return (name) => names.get(name) ?? name;
};

/** Both graphs of an encoder-decoder that remembers. */
export const sidesOf = ({ graph, info: { signature } }: Pick<Model, 'graph' | 'info'>): Sides => {
  const features = sourceFeatures(graph, signature);
  const [tokens, mask] = [expectInput(signature, 'tokens'), expectInput(signature, 'mask')];
  const written = expectInput(signature, 'written');
  const own = graph.inputs.filter((input) => ![tokens, mask, written].includes(input));
  return {
    encoder: partOf(graph, [tokens, mask], [features], renaming([[features, FEATURES]])),
    decoder: partOf(
      graph,
      [mask, written, features, ...own],
      graph.outputs,
      renaming([
        [mask, SOURCE_MASK],
        [written, WRITTEN],
        [features, GIVEN],
        // Nothing else may be called so.
        [tokens, value('')],
      ]),
    ),
  };
};

const sameTensor = (a: Graph, b: Graph, name: Value): boolean => {
  const [one, other] = [a.weights.get(name), b.weights.get(name)];
  if (one === undefined || other === undefined) return false;
  return one.dtype === other.dtype && Buffer.compare(one.bytes.read(), other.bytes.read()) === 0;
};

/** Both graphs as the one that they were: what goes by the same name in both is another thing, unless it is the same weight. */
export const joinedSides = ({ encoder, decoder }: Sides, signature: Signature): Graph => {
  const [tokens, mask] = [expectInput(signature, 'tokens'), expectInput(signature, 'mask')];
  const written = expectInput(signature, 'written');
  const [features] = encoder.outputs;
  if (features === undefined) throw modelError('the graph that reads a source puts nothing out');
  const taken = new Set([
    ...encoder.inputs,
    ...encoder.weights.keys(),
    ...encoder.nodes.flatMap(({ outputs }) => outputs),
  ]);
  const outputs = new Set(decoder.outputs);
  const nameOf = (name: Value): Value => {
    if (name === WRITTEN) return written;
    if (name === SOURCE_MASK) return mask;
    if (name === GIVEN) return features;
    const isOwn = !taken.has(name) || outputs.has(name) || sameTensor(encoder, decoder, name);
    return isOwn ? name : value(`answer/${name}`);
  };
  const builder = new GraphBuilder(decoder.name, { ...encoder.opsets, ...decoder.opsets });
  for (const name of [tokens, mask]) {
    const { dtype = 'int64', shape } = encoder.types.get(name) ?? {};
    builder.input(name, dtype, shape);
  }
  for (const name of decoder.inputs) {
    if (name === SOURCE_MASK || name === GIVEN) continue;
    const { dtype = 'int64', shape } = decoder.types.get(name) ?? {};
    builder.input(nameOf(name), dtype, shape);
  }
  for (const [name, tensor] of encoder.weights) builder.weight(name, tensor);
  for (const [name, tensor] of decoder.weights) {
    if (!builder.hasType(nameOf(name))) builder.weight(nameOf(name), tensor);
  }
  for (const node of encoder.nodes) builder.add(node, (output) => encoder.types.get(output));
  for (const node of decoder.nodes) {
    const name = `answer/${node.name}`;
    const named: Node = { ...readingAs(node, nameOf), name, outputs: node.outputs.map(nameOf) };
    builder.add(named, (output) => decoder.types.get(node.outputs[named.outputs.indexOf(output)] ?? output));
  }
  return builder.freeze(decoder.outputs.map(nameOf));
};

/** Whether a model is told a source and writes an answer to it, and what it has read stays with it. */
export const hasSides = ({ signature }: Pick<Model['info'], 'signature'>): boolean =>
  inputOf(signature, 'written') !== undefined && signature.states.length > 0;
