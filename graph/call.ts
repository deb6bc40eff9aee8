import { refusal } from '../ground/errors.ts';
import type { Dim } from './dim.ts';
import type { Attribute, Attributes, Node, TensorType, Value } from './graph.ts';
import type { AttributeInput, Call, Inferred, OpDef } from './op.ts';
import { findOp } from './ops/index.ts';
import { type DType, elementCount, isInt64, isWhole, numbersOf, type Tensor } from './tensor.ts';

/** What inference may look up about the values of a graph under construction. */
export interface Known {
  type(value: Value): TensorType | undefined;
  weight(value: Value): Tensor | undefined;
  ints(value: Value): readonly Dim[] | undefined;
}

/** Shape arithmetic happens on short vectors; anything longer is data. */
const SHAPE_VECTOR_LIMIT = 64;

const whole: ReadonlySet<DType> = new Set<DType>(['int64', 'int32', 'bool']);

/** The integers of a small weight of such, as shape arithmetic needs them; truth is 1. */
const smallInts = (tensor: Tensor): readonly number[] | undefined =>
  whole.has(tensor.dtype) && elementCount(tensor.dims) <= SHAPE_VECTOR_LIMIT ? numbersOf(tensor) : undefined;

/** Types of a node's inputs. What an operator without a record computes has that of its neighbours, and any shape. */
const inputTypes = (node: Node, opset: number, known: Known): readonly (TensorType | undefined)[] => {
  const types = node.inputs.map((input) => (input === null ? undefined : known.type(input)));
  if (node.inputs.every((input, i) => input === null || types[i] !== undefined)) return types;
  const { alike = [] } = findOp(node.domain, node.op, opset) ?? {};
  const same = alike === 'all' ? [...types.keys()] : alike;
  const dtype = same.map((position) => types[position]?.dtype).find((found) => found !== undefined);
  if (dtype === undefined) return types;
  return types.map((type, i) =>
    node.inputs[i] == null || !same.includes(i) ? type : (type ?? { dtype, shape: undefined }),
  );
};

export const callOf = (node: Node, opset: number, known: Known): Call => {
  const at = (position: number): Value | undefined => node.inputs[position] ?? undefined;
  return {
    node,
    opset,
    inputs: inputTypes(node, opset, known),
    constant: (position) => {
      const input = at(position);
      return input === undefined ? undefined : known.weight(input);
    },
    ints: (position) => {
      const input = at(position);
      if (input === undefined) return undefined;
      const weight = known.weight(input);
      return weight === undefined ? known.ints(input) : smallInts(weight);
    },
  };
};

/** The record of a call's operator; undefined where decant has none, or does not know what the call reads. */
export const recordOf = (call: Call): OpDef | undefined => {
  if (call.node.inputs.some((input, i) => input !== null && call.inputs[i] === undefined)) return undefined;
  return findOp(call.node.domain, call.node.op, call.opset);
};

/** A size that no value has: sizes that were read as bounds, or a border that takes more than there is. */
const expectSizes = ({ node }: Call, types: readonly Inferred[]): void => {
  const wrong = types
    .flatMap(({ shape }) => shape ?? [])
    .find((dim) => typeof dim === 'number' && !(isWhole(dim) && dim >= 0));
  if (wrong !== undefined) throw refusal(`${node.op} '${node.name}' would give an axis of size ${wrong}`);
};

/** Types of a node's outputs; all unknown where decant has no record of the operator or of what it reads. */
export const inferNode = (call: Call): readonly Inferred[] | undefined => {
  const types = recordOf(call)?.infer(call);
  if (types !== undefined) expectSizes(call, types);
  return types;
};

const attributeOf = (input: NonNullable<AttributeInput[string]>): Attribute => {
  if (typeof input === 'number') {
    return isInt64(input) ? { kind: 'int', value: input } : { kind: 'float', value: input };
  }
  if (typeof input === 'string') return { kind: 'string', value: input };
  if ('float' in input) return { kind: 'float', value: input.float };
  if ('dtype' in input) return { kind: 'tensor', value: input };
  const list: readonly (number | string)[] = input;
  const texts = list.filter((item) => typeof item === 'string');
  if (texts.length > 0) return { kind: 'strings', value: texts };
  const numbers = list.filter((item) => typeof item === 'number');
  return numbers.every(isInt64) ? { kind: 'ints', value: numbers } : { kind: 'floats', value: numbers };
};

export const attributesOf = (input: AttributeInput = {}): Attributes => {
  const attrs: Record<string, Attribute> = {};
  for (const [name, plain] of Object.entries(input)) if (plain !== undefined) attrs[name] = attributeOf(plain);
  return attrs;
};
