import { GraphBuilder } from '../builder.ts';
import { dtypeCodes } from '../codec/dtypes.ts';
import { symbol } from '../dim.ts';
import type { Attribute, Attributes, Graph, Node, TensorType } from '../graph.ts';
import { asSingles, isHalf } from '../halves.ts';
import { type DType, type Tensor, tensorOf, vector } from '../tensor.ts';
import { retyped, throughout } from './bodies.ts';
import type { Pass } from './pass.ts';

const halves: ReadonlySet<DType | undefined> = new Set<DType>(['float16', 'bfloat16']);
const halfCodes: ReadonlySet<number> = new Set([dtypeCodes.float16, dtypeCodes.bfloat16]);

/** Attributes that hold the number of an element type. */
const namesOfTypes: ReadonlySet<string> = new Set(['to', 'dtype', 'output_dtype', 'output_datatype', 'stash_type']);

const widerTensor = (tensor: Tensor): Tensor => (isHalf(tensor) ? asSingles(tensor) : tensor);

const widerType = (type: TensorType): TensorType => (halves.has(type.dtype) ? { ...type, dtype: 'float32' } : type);

const widerAttribute = (name: string, attribute: Attribute): Attribute => {
  if (attribute.kind === 'tensor') return { kind: 'tensor', value: widerTensor(attribute.value) };
  const isHalfType = attribute.kind === 'int' && namesOfTypes.has(name) && halfCodes.has(attribute.value);
  return isHalfType ? { kind: 'int', value: dtypeCodes.float32 } : attribute;
};

const widerNode = (node: Node): Node => {
  const attrs: Attributes = Object.fromEntries(
    Object.entries(node.attrs).map(([name, attribute]) => [name, widerAttribute(name, attribute)]),
  );
  return { ...node, attrs };
};

const isNarrow = ({ types, weights, nodes }: Graph): boolean =>
  [...types.values()].some(({ dtype }) => halves.has(dtype)) ||
  [...weights.values()].some(isHalf) ||
  nodes.some(({ attrs }) =>
    Object.entries(attrs).some(([name, attribute]) => {
      if (attribute.kind === 'tensor') return isHalf(attribute.value);
      return attribute.kind === 'int' && namesOfTypes.has(name) && halfCodes.has(attribute.value);
    }),
  );

const widened = (graph: Graph): Graph =>
  isNarrow(graph)
    ? {
        ...graph,
        nodes: graph.nodes.map(widerNode),
        weights: new Map([...graph.weights].map(([name, tensor]) => [name, widerTensor(tensor)])),
        types: new Map([...graph.types].map(([name, type]) => [name, widerType(type)])),
      }
    : graph;

/** Whether a file keeps weights in 16 bits, which its maker may want back: told before it is normalised. */
export const wasHalved = (graph: Graph): boolean => [...graph.weights.values()].some(isHalf);

const half = (dims: readonly number[], ...words: readonly number[]): Tensor =>
  tensorOf('float16', dims, Uint16Array.from(words));

/** 1, -2, 0.5, the smallest half and the largest: all of them floats. */
const numbers = half([5], 0x3c00, 0xc000, 0x3800, 0x0001, 0x7bff);

const storedInHalves = (): Graph => {
  const builder = new GraphBuilder('stored');
  const x = builder.input('x', 'float32', [symbol('batch'), 5]);
  const weight = builder.op('Cast', [builder.weight('w', numbers)], { to: dtypeCodes.float32 });
  return builder.freeze([builder.op('Mul', [x, weight], {}, 'y')]);
};

const computedInHalves = (): Graph => {
  const builder = new GraphBuilder('computed');
  const x = builder.input('x', 'float32', [symbol('batch'), 4]);
  const whole = builder.op('Cast', [builder.op('Floor', [x])], { to: dtypeCodes.float16 });
  const w = builder.weight('w', half([4], 0x3c00, 0xc000, 0x3800, 0x4000));
  const fill = builder.op('ConstantOfShape', [builder.ints([4])], { value: half([1], 0x3c00) });
  const sum = builder.op('Add', [builder.op('Mul', [whole, w]), fill]);
  return builder.freeze([builder.op('Cast', [sum], { to: dtypeCodes.float32 }, 'y')]);
};

const inFloats = (): Graph => {
  const builder = new GraphBuilder('floats');
  const x = builder.input('x', 'float32', [symbol('batch'), 2]);
  return builder.freeze([builder.op('Mul', [x, builder.weight('w', vector('float32', [1, 2]))], {}, 'y')]);
};

/** What is kept or computed in 16 bits is so in 32: every half is a float, so no weight changes. */
export const widen: Pass = {
  name: 'widen',
  run: (graph) => {
    const wide = throughout(graph, widened);
    return wide === graph ? graph : retyped(wide);
  },
  changes: [
    { name: 'weights stored in halves', graph: storedInHalves },
    { name: 'numbers that halves hold exactly, computed in halves', graph: computedInHalves },
  ],
  leaves: [{ name: 'a graph of floats', graph: inFloats }],
};
