import { modelError, refusal, reworded } from '../ground/errors.ts';
import type { GraphBuilder } from './builder.ts';
import type { Shape } from './dim.ts';
import { type Node, readingAs, readsOf, type Value } from './graph.ts';
import { type Masked, maskedIn } from './masked.ts';
import type { Call, Emit, Gradient, OpDef } from './op.ts';
import { findOp } from './ops/index.ts';
import { squeeze } from './ops/shared-emit.ts';
import { reduce } from './ops/shared-math.ts';
import { dtypeNumber, isFloat } from './ops/shared-structure.ts';

const named = (node: Node): string => `${node.domain === '' ? '' : `${node.domain}:`}${node.op} '${node.name}'`;

export interface DifferentiateOptions {
  /** A rule that replaces the operator's own at a node (a straight-through estimator, say); undefined keeps it. */
  readonly ruleAt?: (node: Node) => Gradient | undefined;
}

type RuleOf = (node: Node) => OpDef['gradient'] | undefined;

/** The float values through which a change of `wrt` can reach other values. */
const reachedFrom = (
  builder: GraphBuilder,
  nodes: readonly Node[],
  wrt: readonly Value[],
  ruleOf: RuleOf,
): ReadonlySet<Value> => {
  const reached = new Set<Value>(wrt);
  for (const node of nodes) {
    if (!readsOf(node).some((input) => reached.has(input))) continue;
    if (ruleOf(node) === 'stop') continue;
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
    throw refusal(
      `cannot differentiate ${named(node)}: the shape of '${v}' is not known; give the graph's inputs shapes`,
    );
  }
  return shape;
};

interface Repeated {
  /** Axes, as the gradient counts them, over which a value was repeated for certain. */
  readonly axes: readonly number[];
  /** A symbol meets another dimension: only the run knows whether it is one. */
  readonly open: boolean;
}

const repeatedAxes = (from: Shape, to: Shape): Repeated => {
  const leading = from.length - to.length;
  const axes = from.flatMap((dim, axis) => (axis < leading || (to[axis - leading] === 1 && dim !== 1) ? [axis] : []));
  const open = to.some((target, axis) => typeof target !== 'number' && target !== from[axis + leading]);
  return { axes, open };
};

/**
 * The sum over the axes along which x has size one and g has not, found when the graph runs. Before opset 13 axes
 * cannot be computed: there the reshape fails in that run, rather than going on with a wrong gradient.
 */
const sumWhereRepeated = (emit: Emit, g: Value, x: Value): Value => {
  const shape = emit.op('Shape', [x]);
  if (emit.opset < 13) return emit.op('Reshape', [g, shape]);
  const repeated = emit.op('Less', [shape, emit.op('Shape', [g])]);
  const axes = emit.op('Squeeze', [emit.op('NonZero', [repeated]), emit.ints([0])]);
  const sum = emit.op('ReduceSum', [g, axes], { keepdims: 1, noop_with_empty_axes: 1 });
  return emit.op('Reshape', [sum, shape]);
};

/**
 * Undoes numpy broadcasting: dx = the sum of g over the axes along which x was repeated. The one place where this
 * happens, for every operator.
 */
const unbroadcast = (emit: Emit, g: Value, x: Value, node: Node): Value => {
  const [from, to] = [shapeAt(emit, g, node), shapeAt(emit, x, node)];
  const leading = from.length - to.length;
  const { axes, open } = repeatedAxes(from, to);
  if (leading < 0) {
    const found = `${shapeText(from)} arrives at '${x}' of shape ${shapeText(to)}`;
    throw new TypeError(`the gradient of ${named(node)} is wrong: one of shape ${found}`);
  }
  const onlyLeading = axes.length === leading;
  const kept = axes.length === 0 ? g : reduce(emit, 'ReduceSum', g, axes, !onlyLeading);
  const summed = onlyLeading ? kept : squeeze(emit, kept, axes.slice(0, leading));
  return open ? sumWhereRepeated(emit, summed, x) : summed;
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
    const sum = parts.reduce((before, part) => this.#emit.op('Add', [before, part]));
    this.#parts.set(v, [sum]);
    return sum;
  }
}

const seed = (builder: GraphBuilder, loss: Value): Value => {
  const { dtype, shape } = builder.type(loss);
  if (!isFloat(dtype)) throw refusal(`the loss '${loss}' is ${dtype}; only float values have gradients`);
  if (shape === undefined || shape.some((dim) => dim !== 1)) {
    const found = shape === undefined ? 'unknown shape' : `shape ${shapeText(shape)}`;
    throw refusal(`the loss '${loss}' has ${found}; expected a scalar: reduce it with ReduceMean or ReduceSum`);
  }
  const one = builder.scalar(dtype, 1);
  return shape.length === 0 ? one : builder.op('Reshape', [one, builder.ints(shape.map(() => 1))]);
};

const gradientsAt = (
  builder: GraphBuilder,
  call: Call,
  rule: ReturnType<RuleOf>,
  dy: readonly (Value | null)[],
): readonly (Value | null)[] => {
  if (rule === 'stop') return [];
  if (rule === undefined || rule === 'none') {
    const why = rule === undefined ? 'decant does not know this operator' : 'it has no gradient rule';
    throw refusal(
      `cannot differentiate ${named(call.node)} at operator set ${call.opset}: ${why}; ` +
        'train the graph as it was before fusion or quantization, or keep the values behind it frozen',
    );
  }
  try {
    return rule(builder, call, dy);
  } catch (error) {
    throw reworded(error, (why) => modelError(`cannot differentiate ${named(call.node)}: ${why}`, { cause: error }));
  }
};

/** Where and IsNaN came with this operator set: before it, a graph can leave nothing out by choice. */
const FIRST_CHOICE = 9;

/** Gradients beside elements that need not count. */
class Masks {
  readonly #builder: GraphBuilder;
  readonly #masked: Masked;
  readonly #fills = new Map<Value, Value>();

  constructor(builder: GraphBuilder, nodes: readonly Node[]) {
    const recorded = nodes.map((node) => {
      const call = builder.call(node);
      return { node, call, record: findOp(node.domain, node.op, call.opset) };
    });
    this.#builder = builder;
    this.#masked = maskedIn(recorded, (v) => builder.hasType(v) && isFloat(builder.type(v).dtype));
  }

  /** The call over values without NaN, where what follows fills it: any number does, its gradient is zero. */
  callOf(node: Node): Call {
    const { holed, steepBehind } = this.#masked;
    const isHoled = [...node.inputs, ...node.outputs].some((v) => v !== null && holed.has(v));
    const call = this.#builder.call(isHoled && this.#builder.opset >= FIRST_CHOICE ? this.#filled(node) : node);
    return { ...call, steepBehind: node.outputs.some((output) => steepBehind.has(output)) };
  }

  #filled(node: Node): Node {
    return {
      ...readingAs(node, (input) => this.#withoutNaN(input)),
      outputs: node.outputs.map((output) => this.#withoutNaN(output)),
    };
  }

  #withoutNaN(v: Value): Value {
    if (!this.#masked.holed.has(v)) return v;
    const builder = this.#builder;
    const known = this.#fills.get(v);
    const zero = (): Value => builder.scalar(builder.type(v).dtype, 0);
    const filled = known ?? builder.op('Where', [builder.op('IsNaN', [v]), zero(), v]);
    this.#fills.set(v, filled);
    return filled;
  }

  /** No gradient where none arrives, also at a slope that is infinite or no number. */
  bounded(node: Node, dy: Value | null | undefined, parts: readonly (Value | null)[]): readonly (Value | null)[] {
    const builder = this.#builder;
    const call = builder.call(node);
    const steep = findOp(node.domain, node.op, call.opset)?.steep?.(call);
    const passedOver = node.outputs.some((output) => this.#masked.passedOver.has(output));
    if (dy == null || steep === undefined || builder.opset < FIRST_CHOICE) return parts;
    if (steep === 'beyond' && !passedOver) return parts;
    const some = builder.op('Cast', [dy], { to: dtypeNumber('bool') });
    const zero = builder.scalar(builder.type(dy).dtype, 0);
    return parts.map((part) => (part === null ? null : builder.op('Where', [some, part, zero])));
  }
}

const sweep = (
  builder: GraphBuilder,
  loss: Value,
  wrt: readonly Value[],
  ruleOf: RuleOf,
): ReadonlyMap<Value, Value> => {
  const nodes = [...builder.nodes];
  const reached = reachedFrom(builder, nodes, wrt, ruleOf);
  const masks = new Masks(builder, nodes);
  const adjoints = new Adjoints(builder);
  if (reached.has(loss)) adjoints.give(loss, seed(builder, loss));
  for (const node of nodes.toReversed()) {
    if (!readsOf(node).some((input) => reached.has(input))) continue;
    const dy = node.outputs.map((output) => (reached.has(output) ? adjoints.take(output) : null));
    if (dy.every((part) => part === null)) continue;
    const parts = gradientsAt(builder, masks.callOf(node), ruleOf(node), dy);
    masks.bounded(node, dy[0], parts).forEach((part, position) => {
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
export const differentiate = (
  builder: GraphBuilder,
  loss: Value,
  wrt: readonly Value[],
  { ruleAt }: DifferentiateOptions = {},
): ReadonlyMap<Value, Value> => {
  const ruleOf: RuleOf = (node) => ruleAt?.(node) ?? findOp(node.domain, node.op, builder.call(node).opset)?.gradient;
  return builder.within('gradient', () => sweep(builder, loss, wrt, ruleOf));
};
