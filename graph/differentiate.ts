import type { GraphBuilder } from './builder.ts';
import type { Shape } from './dim.ts';
import type { Node, Value } from './graph.ts';
import type { Emit } from './op.ts';
import { findOp } from './ops/index.ts';
import { reduce, squeeze } from './ops/shared-math.ts';
import { isFloat } from './ops/shared-structure.ts';

const named = (node: Node): string => `${node.domain === '' ? '' : `${node.domain}:`}${node.op} '${node.name}'`;

/** Everything a node reads, the outer values that its subgraphs capture included. */
const readsOf = (node: Node): readonly Value[] => [
  ...node.inputs.filter((input) => input !== null),
  ...Object.values(node.attrs).flatMap((attr) => (attr.kind === 'graph' ? attr.value.nodes.flatMap(readsOf) : [])),
];

/** The float values through which a change of `wrt` can reach other values. */
const reachedFrom = (builder: GraphBuilder, nodes: readonly Node[], wrt: readonly Value[]): ReadonlySet<Value> => {
  const reached = new Set<Value>(wrt);
  for (const node of nodes) {
    if (!readsOf(node).some((input) => reached.has(input))) continue;
    if (findOp(node.domain, node.op, builder.call(node).opset)?.gradient === 'stop') continue;
    for (const output of node.outputs) {
      if (!builder.hasType(output) || isFloat(builder.type(output).dtype)) reached.add(output);
    }
  }
  return reached;
};

const shapeText = (shape: Shape): string => `[${shape.join(', ')}]`;

const shapeAt = (emit: Emit, v: Value, node: Node): Shape => {
  const { shape } = emit.type(v);
  if (shape === undefined) {
    throw new TypeError(
      `cannot differentiate ${named(node)}: the shape of '${v}' is not known; give the graph's inputs shapes`,
    );
  }
  return shape;
};

/** Axes, as the gradient counts them, over which a value of shape `to` was repeated. */
const broadcastAxes = (from: Shape, to: Shape, fail: () => never): readonly number[] => {
  const leading = from.length - to.length;
  if (leading < 0) fail();
  return from.flatMap((dim, axis) => {
    const target = to[axis - leading];
    if (axis < leading) return [axis];
    if (target === 1 && dim !== 1) return [axis];
    if (typeof target !== 'number' && target !== dim) fail();
    return [];
  });
};

/**
 * Undoes numpy broadcasting: dx = the sum of g over the axes along which x was repeated. The one place where this
 * happens, for every operator.
 */
const unbroadcast = (emit: Emit, gradient: Value, x: Value, node: Node): Value => {
  const [from, to] = [shapeAt(emit, gradient, node), shapeAt(emit, x, node)];
  const axes = broadcastAxes(from, to, () => {
    throw new TypeError(
      `cannot differentiate ${named(node)}: a gradient of shape ${shapeText(from)} arrives at '${x}' of shape ` +
        `${shapeText(to)}, and it is not known which axes were broadcast; give equal dimensions equal names`,
    );
  });
  if (axes.length === 0) return gradient;
  const leading = from.length - to.length;
  if (axes.length === leading) return reduce(emit, 'ReduceSum', gradient, axes, false);
  const kept = reduce(emit, 'ReduceSum', gradient, axes, true);
  return squeeze(emit, kept, axes.slice(0, leading));
};

/** Contributions by value, summed once when the value's own turn comes. */
class Adjoints {
  readonly #emit: Emit;
  readonly #parts = new Map<Value, readonly Value[]>();

  constructor(emit: Emit) {
    this.#emit = emit;
  }

  give(v: Value, part: Value): void {
    this.#parts.set(v, [...(this.#parts.get(v) ?? []), part]);
  }

  take(v: Value): Value | null {
    const parts = this.#parts.get(v);
    if (parts === undefined) return null;
    const [first] = parts;
    if (parts.length === 1 && first !== undefined) return first;
    const sum = this.#emit.op(parts.length === 2 ? 'Add' : 'Sum', parts);
    this.#parts.set(v, [sum]);
    return sum;
  }
}

const seed = (builder: GraphBuilder, loss: Value): Value => {
  const { dtype, shape } = builder.type(loss);
  if (!isFloat(dtype)) throw new TypeError(`the loss '${loss}' is ${dtype}; only float values have gradients`);
  if (shape === undefined || shape.some((dim) => dim !== 1)) {
    const found = shape === undefined ? 'unknown shape' : `shape ${shapeText(shape)}`;
    throw new TypeError(`the loss '${loss}' has ${found}; expected a scalar: reduce it with ReduceMean or ReduceSum`);
  }
  const one = builder.scalar(dtype, 1);
  return shape.length === 0 ? one : builder.op('Reshape', [one, builder.ints(shape.map(() => 1))]);
};

const gradientsAt = (builder: GraphBuilder, node: Node, dy: readonly (Value | null)[]): readonly (Value | null)[] => {
  const call = builder.call(node);
  const gradient = findOp(node.domain, node.op, call.opset)?.gradient;
  if (gradient === 'stop') return [];
  if (gradient === undefined || gradient === 'none') {
    const why = gradient === undefined ? 'decant does not know this operator' : 'it has no gradient rule';
    throw new TypeError(
      `cannot differentiate ${named(node)} at operator set ${call.opset}: ${why}; ` +
        'train the graph as it was before fusion or quantization, or keep the values behind it frozen',
    );
  }
  return gradient(builder, call, dy);
};

const sweep = (builder: GraphBuilder, loss: Value, wrt: readonly Value[]): ReadonlyMap<Value, Value> => {
  const nodes = [...builder.nodes];
  const reached = reachedFrom(builder, nodes, wrt);
  const adjoints = new Adjoints(builder);
  if (reached.has(loss)) adjoints.give(loss, seed(builder, loss));
  for (const node of nodes.toReversed()) {
    if (!readsOf(node).some((input) => reached.has(input))) continue;
    const dy = node.outputs.map((output) => (reached.has(output) ? adjoints.take(output) : null));
    if (dy.every((part) => part === null)) continue;
    gradientsAt(builder, node, dy).forEach((part, position) => {
      const x = node.inputs[position];
      if (part === null || x == null || !reached.has(x)) return;
      adjoints.give(x, unbroadcast(builder, part, x, node));
    });
  }
  const found = wrt.map((v) => [v, adjoints.take(v)] as const);
  return new Map(found.flatMap(([v, gradient]) => (gradient === null ? [] : [[v, gradient] as const])));
};

/**
 * Adds the gradient of a scalar `loss` to the builder, in reverse mode, as standard operators: only along paths from
 * `wrt` (inputs, weights or values in between) to the loss. Every contribution is un-broadcast and every value's
 * contributions are summed here, so the operators' own rules need not.
 *
 * The map holds one gradient value for every entry of `wrt` that reaches the loss; entries that do not, whose gradient
 * is zero, are left out. An operator without a rule on such a path is an error that names it.
 *
 * Griewank and Walther, Evaluating Derivatives, 2nd edition, chapter 3; Baydin et al., arXiv 1502.05767.
 */
export const differentiate = (builder: GraphBuilder, loss: Value, wrt: readonly Value[]): ReadonlyMap<Value, Value> =>
  builder.within('gradient', () => sweep(builder, loss, wrt));
