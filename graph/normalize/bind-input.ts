import { modelError } from '../../ground/errors.ts';
import { fitsShape } from '../dim.ts';
import { type Graph, indexOf, type Value, value } from '../graph.ts';
import type { Tensor } from '../tensor.ts';
import { retyped } from './bodies.ts';
import { soundly } from './sound.ts';

/** The graph with one input fixed to a constant: a flag that chooses between two ways (`use_cache_branch`), or a default. */
export const bindInput = (graph: Graph, name: string, tensor: Tensor): Graph => {
  const input = value(name);
  const type = graph.types.get(input);
  if (!graph.inputs.includes(input) || type === undefined) {
    throw modelError(`the graph has no input '${name}' to bind; it has ${graph.inputs.join(', ')}`);
  }
  if (type.dtype !== tensor.dtype || (type.shape !== undefined && !fitsShape(tensor.dims, type.shape))) {
    const asked = `${type.dtype}[${type.shape?.join(', ') ?? '...'}]`;
    throw modelError(`the input '${name}' takes ${asked}, and no ${tensor.dtype}[${tensor.dims.join(', ')}]`);
  }
  const bound = {
    ...graph,
    inputs: graph.inputs.filter((other) => other !== input),
    weights: new Map([...graph.weights, [input, tensor]]),
  };
  return soundly(graph, `with the input '${name}' bound`, () => retyped(bound));
};

/** Inputs that do nothing but choose between the branches of an If, as `use_cache_branch` of merged decoders does: each asks to be bound. */
export const choosingInputs = (graph: Graph): readonly Value[] =>
  graph.inputs.filter((input) => {
    const readers = indexOf(graph).users.get(input) ?? [];
    return (
      readers.length > 0 &&
      readers.every(({ domain, op, inputs }) => domain === '' && op === 'If' && inputs[0] === input)
    );
  });
