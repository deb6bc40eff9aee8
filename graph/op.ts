import type { Dim, Shape } from './dim.ts';
import type { Attributes, Node, TensorType, Value } from './graph.ts';
import type { DType, Tensor } from './tensor.ts';

/** One use of an operator, as its record sees it: types and, where they are known, constant inputs. */
export interface Call {
  readonly node: Node;
  /** Version of the operator set that the graph imports for the node's domain. */
  readonly opset: number;
  /** Types by input position; undefined where the input is left out. */
  readonly inputs: readonly (TensorType | undefined)[];
  /** The tensor behind an input that is a weight (initializer), else undefined. */
  constant(position: number): Tensor | undefined;
  /**
   * Elements of a small integer input that is known, perhaps symbolically (shape arithmetic), else undefined. Numbers beyond
   * whole ones are bounds that stand for "all": no arithmetic with them is exact.
   */
  ints(position: number): readonly Dim[] | undefined;
  /** For gradients: what follows can be infinitely steep, so that zero times the gradient that arrives may be no number. */
  readonly steepBehind?: boolean;
}

/** What inference found for one output. `ints`: elements of a small integer tensor, in row-major order. */
export interface Inferred extends TensorType {
  readonly ints?: readonly Dim[] | undefined;
}

/** Where a gradient or a rewrite writes its nodes. Every value is typed as soon as it is emitted. */
export interface Emit {
  /** Adds one node with one output, called `name` if given. Domain '' unless `op` is written `com.microsoft:Name`. */
  op(op: string, inputs: readonly (Value | null)[], attrs?: AttributeInput, name?: string): Value;
  /** Adds one node with several outputs. */
  ops(op: string, inputs: readonly (Value | null)[], outputs: number, attrs?: AttributeInput): readonly Value[];
  /** A constant initializer, shared when the same constant was asked for before. */
  constant(tensor: Tensor): Value;
  /** A scalar constant of dtype. */
  scalar(dtype: DType, value: number): Value;
  /** An int64 vector constant (axes, shapes, splits). */
  ints(values: readonly number[]): Value;
  type(value: Value): TensorType;
  /**
   * An int64 vector holding the shape of `value`: a constant where every dimension is a number, else a Shape node.
   */
  shapeOf(value: Value): Value;
  readonly opset: number;
}

/** Plain values are turned into attributes: an integer is an int, `{ float: 1 }` forces a float. */
export type AttributeInput = Readonly<
  Record<
    string,
    number | string | readonly number[] | readonly string[] | Tensor | { readonly float: number } | undefined
  >
>;

/**
 * Gradient of a scalar loss: given dy, one entry an output (null where no gradient arrives), returns one entry an input
 * (null where none flows). It neither sums over broadcast axes nor accumulates over uses: differentiation does, once.
 */
export type Gradient = (emit: Emit, call: Call, dy: readonly (Value | null)[]) => readonly (Value | null)[];

/** A dimension cut: unit by unit removal along one axis of one value. */
export interface Cut {
  readonly value: Value;
  readonly axis: number;
  /** The unit that owns each index of the axis, or -1 where the index belongs to none and always stays. */
  readonly owner: Int32Array;
}
export interface Refusal {
  readonly refused: string;
}
/** The other axes of the node's values that a cut on one of them implies (the engine drops those it already has). */
export type CutRule = (call: Call, cut: Cut) => CutEffect | Refusal;
export interface CutEffect {
  readonly cuts: readonly Cut[];
  /**
   * Pairs of units that can only go together, found where a reshape splits an axis into (head, width): whole blocks.
   * A pair with -1 says that the unit always stays.
   */
  readonly merges?: readonly (readonly [number, number])[];
}

/**
 * How a node's attributes and constant inputs change when axes of its values shrink: `sizes(value)` gives the shape of a
 * value after the cut, `kept(value, axis)` the old indices that stay (undefined where the axis is not cut). `attrs`
 * replaces all attributes of the node, `inputs[i]` replaces input i by a new constant (undefined leaves it). Only
 * operators that carry sizes or indices (Reshape, Split, Slice, Gather ...) have one; `call` is the node before the cut.
 */
export type Resize = (
  call: Call,
  sizes: (value: Value) => readonly Dim[] | undefined,
  kept?: (value: Value, axis: number) => readonly number[] | undefined,
) => { readonly attrs?: Attributes; readonly inputs?: readonly (Tensor | undefined)[] };

/** Inputs that hold the steps and zero points of a matrix of integers. */
interface Encoding {
  readonly steps?: number;
  readonly zero?: number;
}

/**
 * What an operator that is cut along an axis over which it takes statistics comes to before the cut: the mask has a number from 0 to
 * 1 for each index, and where all are 0 or 1 those that stay are as they will be behind the cut. The others are anything.
 */
export interface Masked {
  /** The axes of the first input that statistics are taken over. */
  axes(call: Call): readonly number[];
  /** The first output, for a mask of the only one of these axes. */
  emit(emit: Emit, call: Call, mask: Value): Value;
}

/** An int64 input that decides on the shape of the output. Where it is computed, a cut writes it anew. */
interface Target {
  readonly input: number;
  /** What it says where the output has this shape; undefined where that cannot be said. */
  entries(call: Call, output: Shape): Shape | undefined;
}

/**
 * What an operator does with one input where that is a weight, or is made of weights alone. Axes are those of the input:
 * `linear` sums over `inner` and gives `outer`; `lookup` picks along `axis`; `norm` and `bias` hold a number an index of `axis`
 * that multiplies what was normalised or is added, `scale` one that multiplies; `table` is data of its own that joins the stream;
 * `passed` says that the output is the input again in another shape, order or type, so that what becomes of it is the answer
 * (`axes` has the output's axis for each of the input's, where the shapes do not tell); `fixed` is never learned.
 */
export type Use = {
  readonly input: number;
  /** How many numbers stand in it, where several share an element. */
  readonly numbers?: number;
} & (
  | ({ readonly kind: 'linear'; readonly inner: number; readonly outer: number } & Encoding)
  | { readonly kind: 'lookup' | 'norm' | 'bias' | 'scale' | 'table'; readonly axis: number }
  | { readonly kind: 'passed'; readonly axes?: readonly (number | undefined)[] }
  | { readonly kind: 'fixed' }
);

/** A small example of one use, from which conformance suites test inference, gradients, cuts and MACs. */
export interface Sample {
  readonly name: string;
  readonly inputs: readonly SampleInput[];
  readonly attrs?: AttributeInput;
  /** Number of outputs when not 1. */
  readonly outputs?: number;
  /** Expected multiply-accumulates, where the operator counts any. */
  readonly macs?: number;
  /** Positions of inputs that gradients are checked for; default: every float input that is not constant. */
  readonly differentiable?: readonly number[];
}
export type SampleInput = {
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** Explicit elements; else seeded values: normal for floats, small integers below `max` for ints. */
  readonly data?: readonly number[];
  readonly max?: number;
  /** Positive, or bounded away from zero: for Log, Sqrt, Div. */
  readonly range?: readonly [number, number];
  /** The input is an initializer (a constant to the operator). */
  readonly constant?: boolean;
} | null;

/** Everything decant knows about one operator. One record a file, listed in ops/index.ts. */
export interface OpDef {
  /** '' or 'com.microsoft'. */
  readonly domain: string;
  readonly op: string;
  /** First operator set with these semantics. */
  readonly since: number;
  infer(call: Call): readonly Inferred[];
  /** The output is the first input under another shape: the same elements in the same memory. */
  readonly view?: true;
  /** Positions of inputs that have one element type: what is known of one is known of all. */
  readonly alike?: 'all' | readonly number[];
  /** 'stop': derivative is zero or meaningless (integers, comparisons); 'none': no rule written, asking is an error. */
  readonly gradient: Gradient | 'stop' | 'none';
  /** Whether an element of an output is made of several elements of one input, so that each has a gradient of its own. */
  readonly mixes?: boolean;
  /**
   * Of an operator that takes statistics along an axis that can be cut: what they are of indices that a mask leaves; 'never' where no
   * mask tells. Left out where zeros stand in for what goes.
   */
  readonly masked?: Masked | 'never';
  /** Positions of inputs of which elements may not count: their gradient is zero, whatever they are. */
  masks?(call: Call): readonly number[];
  /** NaN for rows of -Infinity (a text without a token): makes it, finds it, or puts another number in its place. */
  readonly holes?: 'makes' | 'finds' | 'fills';
  /**
   * Where a call's derivative can be infinite or no number, at an element by itself: anywhere, or only where the call itself
   * gives such a value. Where no gradient arrives, none flows all the same.
   */
  steep?(call: Call): 'anywhere' | 'beyond' | undefined;
  readonly cut: CutRule;
  readonly resize?: Resize;
  /** Of operators whose output is as large as an input says: which input, and what it says of an output of a shape. */
  readonly target?: Target;
  /** What each input is for where it is a weight; inputs that are not named only ever hold settings and data. */
  uses?(call: Call): readonly Use[];
  /** Whether activations are quantized over all that a batch holds, so that results depend on what else is in it. */
  readonly batchDependent?: true;
  /**
   * Minor version of ONNX Runtime 1 from which on its CPU computes this call as it does today, where that is later than the
   * first one that knows the operator.
   */
  runtime?(call: Call): number | undefined;
  /** Multiply-accumulates of one call; elementwise work counts zero, as is the custom of the field. */
  macs(call: Call): Dim;
  readonly samples: readonly Sample[];
}
