import { refusal } from '../../ground/errors.ts';
import { addDims, type Dim, divideDims, multiplyDims, productOf, type Shape } from '../dim.ts';
import type { Call, Inferred, OpDef, Resize } from '../op.ts';
import { cutsOf, type Port, refuse, ruleByPort } from './shared-cuts.ts';
import { floats } from './shared-math.ts';
import { describe, freshDim, inputOf, intAttr } from './shared-structure.ts';
import { along } from './shared-uses.ts';

const headsOf = (call: Call): number => {
  const heads = intAttr(call.node, 'num_heads', 0);
  if (heads > 0) return heads;
  throw refusal(`${describe(call)}: num_heads is ${heads}, expected a positive number`);
};

interface Sizes {
  readonly batch: Dim;
  readonly queries: Dim;
  /** Positions that a query sees, without any from a cache. */
  readonly keys: Dim;
  /** Widths of Q, K and V over all heads. */
  readonly widths: readonly [Dim, Dim, Dim];
}

/** Width over all heads and length of keys or values: (batch, length, width) or (batch, heads, length, head width). */
const side = (shape: Shape): readonly [Dim, Dim] => {
  const [, a = 1, b = 1, c = 1] = shape;
  return shape.length === 4 ? [multiplyDims(a, c), b] : [b, a];
};

const sizesOf = (call: Call): Sizes | undefined => {
  const { shape } = inputOf(call, 0);
  const [key, value] = [call.inputs[1]?.shape, call.inputs[2]?.shape];
  const [batch, queries, third = 1, , fifth = 1] = shape ?? [];
  if (batch === undefined || queries === undefined || shape === undefined) return undefined;
  // Packed (batch, length, heads, 3, head width); keys and values packed in pairs likewise.
  if (shape.length === 5) {
    const width = multiplyDims(third, fifth);
    return { batch, queries, keys: queries, widths: [width, width, width] };
  }
  if (key?.length === 5) {
    const width = multiplyDims(key[2] ?? 1, key[4] ?? 1);
    return { batch, queries, keys: key[1] ?? 1, widths: [third, width, width] };
  }
  if (key === undefined || value === undefined) return undefined;
  const [[keyWidth, keys], [valueWidth]] = [side(key), side(value)];
  return { batch, queries, keys, widths: [third, keyWidth, valueWidth] };
};

const infer = (call: Call): readonly Inferred[] => {
  const { dtype } = inputOf(call, 0);
  const sizes = sizesOf(call);
  if (sizes === undefined) return call.node.outputs.map(() => ({ dtype, shape: undefined }));
  const [, keyWidth, valueWidth] = sizes.widths;
  const heads = headsOf(call);
  const past = call.inputs[6]?.shape?.[2];
  const length = past === undefined ? sizes.keys : addDims(past, sizes.keys);
  const cache = (width: Dim, output: number): Shape => [
    sizes.batch,
    heads,
    length,
    divideDims(width, heads) ?? freshDim(call, output, 3),
  ];
  return [
    { dtype, shape: [sizes.batch, sizes.queries, valueWidth] },
    { dtype, shape: cache(keyWidth, 1) },
    { dtype, shape: cache(valueWidth, 2) },
  ];
};

const number = (dim: Dim): number => (typeof dim === 'number' ? dim : Number.NaN);

/** The axis of a port that holds heads, and how many indices each head has in each of its stretches. */
interface HeadAxis {
  readonly axis: number;
  readonly widths: readonly number[];
}

const headAxis = (call: Call, port: Port, sizes: Sizes): HeadAxis | undefined => {
  const heads = headsOf(call);
  const [q, k, v] = sizes.widths.map((width) => number(width) / heads);
  const rank = port.shape?.length ?? 0;
  const over = (axis: number, ...widths: readonly (number | undefined)[]): HeadAxis => ({
    axis,
    widths: widths.map((width) => width ?? Number.NaN),
  });
  if (port.kind === 'output') return port.position === 0 ? over(2, v) : over(1, 1);
  if (rank === 5) return over(2, 1);
  if (port.position === 3) return over(0, q, k, v);
  if (port.position === 0) return over(2, q);
  if (port.position > 6 || port.position === 4) return undefined;
  if (port.position < 3 && rank === 3) return over(2, port.position === 1 ? k : v);
  return port.shape?.[1] === 1 && heads > 1 ? undefined : over(1, 1);
};

/** Which head an index belongs to, stretch by stretch. */
const headOfIndex = (heads: number, { widths }: HeadAxis): readonly number[] =>
  widths.flatMap((width) => Array.from({ length: heads * width }, (_, i) => Math.floor(i / width)));

/**
 * Whole heads go, with their parts of Q, K, V, the packed bias and the output: all units inside one head are merged.
 * The head width stays, and with it the scale of the scores.
 */
const cut = ruleByPort(infer, (call, port, cutHere, ports) => {
  const sizes = sizesOf(call);
  const heads = headsOf(call);
  const here = sizes === undefined ? undefined : headAxis(call, port, sizes);
  if (sizes === undefined || here === undefined || here.axis !== cutHere.axis) {
    return refuse('can lose whole heads only');
  }
  const owners = new Int32Array(heads).fill(-2);
  const merges: [number, number][] = [];
  headOfIndex(heads, here).forEach((head, i) => {
    const [unit, first] = [cutHere.owner[i] ?? -1, owners[head] ?? -2];
    if (first === -2) owners[head] = unit;
    else if (first !== unit) merges.push([first, unit]);
  });
  const cuts = ports.flatMap((p) => {
    const there = headAxis(call, p, sizes);
    if (there === undefined || there.widths.some((width) => !Number.isInteger(width))) return [];
    return cutsOf(
      p.value,
      there.axis,
      Int32Array.from(headOfIndex(heads, there), (head) => owners[head] ?? -1),
    );
  });
  return { cuts, merges };
});

/** Fewer heads of the width they had. */
const resize: Resize = (call, sizes) => {
  const [query] = call.node.inputs;
  const width = number(sizesOf(call)?.widths[0] ?? Number.NaN) / headsOf(call);
  const left = query == null ? undefined : sizes(query);
  const heads = left?.length === 5 ? left[2] : divideDims(left?.[2] ?? 0, width);
  if (typeof heads !== 'number') return {};
  return { attrs: { ...call.node.attrs, num_heads: { kind: 'int', value: heads } } };
};

/** Scores and weighted values of every pair of positions, for all heads. */
const macs = (call: Call): Dim => {
  const sizes = sizesOf(call);
  if (sizes === undefined) return 0;
  const [, keyWidth, valueWidth] = sizes.widths;
  return productOf([sizes.batch, sizes.queries, sizes.keys, addDims(keyWidth, valueWidth)]);
};

/** Before 1.21 one bias for several texts or heads is refused, ends the process, or (1.20) gives other numbers. */
const runtime: OpDef['runtime'] = ({ inputs }) =>
  inputs[5]?.shape?.slice(0, 2).some((dim) => dim === 1) === true ? 21 : undefined;

/** Attention of several heads between Q, K and V, fused (Vaswani et al., arXiv 1706.03762). For inference only. */
export const multiHeadAttention: OpDef = {
  domain: 'com.microsoft',
  op: 'MultiHeadAttention',
  since: 1,
  infer,
  gradient: 'none',
  cut,
  resize,
  uses: (call) => along(call, { 3: 'bias', 5: 'bias' }),
  runtime,
  macs,
  samples: [
    {
      name: 'self-attention',
      inputs: [floats(2, 3, 8), floats(2, 3, 8), floats(2, 3, 8)],
      attrs: { num_heads: 2 },
      macs: 2 * 3 * 3 * 16,
    },
    {
      name: 'with a packed bias and scores',
      inputs: [floats(2, 3, 8), floats(2, 5, 8), floats(2, 5, 8), floats(24), null, floats(1, 1, 3, 5)],
      attrs: { num_heads: 4 },
      macs: 2 * 3 * 5 * 16,
    },
    {
      name: 'with a bias for every head',
      inputs: [floats(2, 3, 8), floats(2, 5, 8), floats(2, 5, 8), null, null, floats(2, 4, 3, 5)],
      attrs: { num_heads: 4 },
      macs: 2 * 3 * 5 * 16,
    },
  ],
};
