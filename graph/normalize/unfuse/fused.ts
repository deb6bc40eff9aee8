import type { GraphBuilder } from '../../builder.ts';
import { sliceTensor } from '../../cut/slice.ts';
import type { Shape } from '../../dim.ts';
import { type Graph, indexOf, type Node, type TensorType, type Value, value } from '../../graph.ts';
import type { DType } from '../../tensor.ts';
import { transposed } from '../../transposed.ts';
import type { PassSample } from '../pass.ts';

/** One fused node, where its parts are written. */
export interface Fused {
  readonly builder: GraphBuilder;
  readonly graph: Graph;
  readonly node: Node;
  /** What was made of values so far, by what was done to which: weights that were split or turned, masks. */
  readonly derived: Map<string, readonly Value[]>;
}

/** A fused operator in standard ones. */
export interface Unfusion {
  readonly domain: '' | 'com.microsoft';
  readonly op: string;
  /** What writes a node's parts under the names of its outputs; undefined where a node asks for more than they can say. */
  plan(at: Fused): (() => void) | undefined;
  readonly changes: readonly PassSample[];
  readonly leaves: readonly PassSample[];
}

export const inputAt = ({ node }: Fused, position: number): Value | undefined => node.inputs[position] ?? undefined;

/** An input that every node of the operator has. */
export const needed = (at: Fused, position: number): Value => {
  const input = inputAt(at, position);
  if (input === undefined) throw new Error(`${at.node.op} '${at.node.name}' has no input ${position}`);
  return input;
};

const typeAt = (at: Fused, position: number): TensorType | undefined => {
  const input = inputAt(at, position);
  return input !== undefined && at.builder.hasType(input) ? at.builder.type(input) : undefined;
};

export const shapeAt = (at: Fused, position: number): Shape | undefined => typeAt(at, position)?.shape;

/** The size of an axis, counted from the end where negative, where that is a number. */
export const sizeAt = (at: Fused, position: number, axis: number): number | undefined => {
  const size = shapeAt(at, position)?.at(axis);
  return typeof size === 'number' ? size : undefined;
};

export const rankAt = (at: Fused, position: number): number | undefined => shapeAt(at, position)?.length;

export const has = (at: Fused, ...positions: readonly number[]): boolean =>
  positions.some((position) => inputAt(at, position) !== undefined);

/** The name of an output that somebody reads. */
export const outputAt = ({ graph, node }: Fused, position: number): string | undefined => {
  const output = node.outputs[position];
  if (output === undefined || output === '') return undefined;
  return indexOf(graph).users.has(output) || graph.outputs.includes(output) ? output : undefined;
};

export const numberOf = ({ node: { attrs } }: Fused, name: string, fallback: number): number => {
  const attribute = attrs[name];
  return attribute?.kind === 'int' || attribute?.kind === 'float' ? attribute.value : fallback;
};

export const flagOf = (at: Fused, name: string): boolean => numberOf(at, name, 0) !== 0;

export const intsOf = ({ node: { attrs } }: Fused, name: string): readonly number[] | undefined => {
  const attribute = attrs[name];
  return attribute?.kind === 'ints' ? attribute.value : undefined;
};

const computed: ReadonlySet<DType | undefined> = new Set<DType | undefined>(['float32', 'float64']);

/** Whether sizes are those of whole heads, and all that there is of them. */
export const divides = (sizes: readonly number[], heads: number, whole: number | undefined): boolean =>
  heads > 0 &&
  sizes.every((size) => size > 0 && Number.isInteger(size / heads)) &&
  sizes.reduce((sum, size) => sum + size, 0) === whole;

/** Whether the constants that the parts need can be written in the element type of the first input. */
export const isComputed = (at: Fused, position = 0): boolean => computed.has(typeAt(at, position)?.dtype);

export const scalarLike = ({ builder }: Fused, like: Value, number: number): Value =>
  builder.scalar(builder.type(like).dtype, number);

export const times = (at: Fused, x: Value, number: number, name?: string): Value =>
  number === 1 ? x : at.builder.op('Mul', [x, scalarLike(at, x, number)], {}, name);

/** x under the name of an output that somebody reads, though another value is it already. */
export const alias = (at: Fused, x: Value, position: number): void => {
  const name = outputAt(at, position);
  if (name !== undefined) at.builder.op('Identity', [x], {}, name);
};

/** What is made of a value, once for all who read it. */
export const made = (at: Fused, from: Value, what: string, make: () => readonly Value[]): readonly Value[] => {
  const key = `${from}\n${what}`;
  const known = at.derived.get(key) ?? make();
  at.derived.set(key, known);
  return known;
};

const freshName = ({ builder }: Fused, name: string): string => {
  for (let i = 0; ; i++) {
    const fresh = i === 0 ? name : `${name}_${i}`;
    if (!builder.hasType(value(fresh))) return fresh;
  }
};

/**
 * A value in parts of these sizes along its last axis. A weight becomes one weight a part, named `weight.query` and so on, so
 * that each can be cut and has a gradient of its own; anything else is split as it is computed.
 */
export const parted = (
  at: Fused,
  whole: Value,
  sizes: readonly number[],
  names: readonly string[],
): readonly Value[] => {
  const { builder } = at;
  const tensor = builder.weightOf(whole);
  if (tensor === undefined) return builder.ops('Split', [whole, builder.ints(sizes)], sizes.length, { axis: -1 });
  const leading = tensor.dims.slice(1).map(() => undefined);
  return made(at, whole, sizes.join(), () => {
    let start = 0;
    return sizes.map((length, i) => {
      const columns = Int32Array.from({ length }, (_, index) => start + index);
      start += length;
      return builder.weight(freshName(at, `${whole}.${names[i]}`), sliceTensor(tensor, [...leading, columns]));
    });
  });
};

const isRead = ({ graph }: Fused, x: Value): boolean => (indexOf(graph).users.get(x) ?? []).length > 1;

/** A value with its last two axes exchanged. A matrix that nobody else reads stays a weight, named `weight.turned`. */
export const turned = (at: Fused, x: Value): Value => {
  const { builder } = at;
  const tensor = builder.weightOf(x);
  if (tensor?.dtype === 'float32' && tensor.dims.length === 2 && !isRead(at, x)) {
    const [name = x] = made(at, x, 'turned', () => [builder.weight(freshName(at, `${x}.turned`), transposed(tensor))]);
    return name;
  }
  const rank = builder.type(x).shape?.length ?? 2;
  if (rank < 2) return x;
  const perm = Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i));
  return builder.op('Transpose', [x], { perm });
};
