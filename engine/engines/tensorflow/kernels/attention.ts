import { floatAttr } from '../../../../graph/ops/shared-math.ts';
import { intAttr, intsAttr } from '../../../../graph/ops/shared-structure.ts';
import type { Kernel, Kernels, Work } from '../kernel.ts';
import type { Library, Tensor } from '../library.ts';
import { layerNorm } from './normalization.ts';
import { product } from './products.ts';
import { integerProduct } from './quantization.ts';

/** (batch, length, heads * width) to (batch, heads, length, width); what has four axes stands so already. */
const inHeads = (tf: Library, x: Tensor, heads: number): Tensor => {
  if (x.rank === 4) return x;
  const [batch = 1, length = 1, width = 1] = x.shape;
  return tf.transpose(tf.reshape(x, [batch, length, heads, width / heads]), [0, 2, 1, 3]);
};

/** What stands beside queries, keys and values. */
interface Beside {
  readonly mask: Tensor | undefined;
  readonly bias: Tensor | undefined;
}

/** 1 keeps a key and 0 adds a large negative number to its scores: (batch, keys), or (batch, queries, keys). */
const maskBias = ({ tf, call }: Work, mask: Tensor): Tensor => {
  if (mask.rank < 2 || mask.rank > 3) throw new TypeError(`has no kernel for a mask of rank ${mask.rank}`);
  const [batch = 1, second = 1, third = 1] = mask.shape;
  const spread = tf.reshape(mask, mask.rank === 2 ? [batch, 1, 1, second] : [batch, 1, second, third]);
  const drops = tf.cast(tf.lessEqual(spread, 0), 'float32');
  return tf.mul(drops, floatAttr(call, 'mask_filter_value', -10000));
};

/** softmax(scale Q K^T + bias) V, all (batch, heads, length, width), merged to (batch, length, heads * width). */
const attend = (work: Work, [q, k, v]: readonly [Tensor, Tensor, Tensor], { mask, bias }: Beside): Tensor => {
  const { tf, call } = work;
  if (intAttr(call.node, 'unidirectional', 0) === 1) throw new TypeError('has no kernel for causal attention');
  const scale = floatAttr(call, 'scale', 0) || 1 / Math.sqrt(q.shape[3] ?? 1);
  const biases = [...(mask === undefined ? [] : [maskBias(work, mask)]), ...(bias === undefined ? [] : [bias])];
  const scores = biases.reduce((sum, one) => tf.add(sum, one), tf.mul(product(tf, q, k, { b: true }), scale));
  const mixed = tf.transpose(product(tf, tf.softmax(scores), v), [0, 2, 1, 3]);
  const [batch = 1, length = 1, heads = 1, width = 1] = mixed.shape;
  return tf.reshape(mixed, [batch, length, heads * width]);
};

const refuse = (work: Work, positions: readonly number[], what: string): void => {
  if (positions.some((position) => work.given(position) !== undefined))
    throw new TypeError(`has no kernel for ${what}`);
};

const multiHead: Kernel = (work) => {
  const { tf, call, x, given } = work;
  refuse(work, [6, 7, 8, 9], 'keys and values of a cache');
  const heads = intAttr(call.node, 'num_heads', 1);
  const sides = [x(0), x(1), x(2)];
  if (sides.some(({ rank }) => rank > 4)) throw new TypeError('has no kernel for packed queries, keys and values');
  const packed = given(3);
  const widths = sides.map(({ shape }) => (shape.length === 4 ? (shape[1] ?? 1) * (shape[3] ?? 1) : (shape[2] ?? 1)));
  const parts = packed === undefined ? [] : tf.split(packed, widths);
  const [q, k, v] = sides.map((side, i) => {
    const part = parts[i];
    if (part === undefined) return inHeads(tf, side, heads);
    if (side.rank === 4) throw new TypeError('has no kernel for a bias beside heads');
    return inHeads(tf, tf.add(side, part), heads);
  });
  if (q === undefined || k === undefined || v === undefined) throw new TypeError('lacks an input');
  return [attend(work, [q, k, v], { mask: given(4), bias: given(5) }), k, v];
};

/** Queries, keys and values of one projection, side by side. */
const selfAttention = (work: Work, projected: Tensor, beside: Beside): Tensor => {
  const { tf, call } = work;
  const heads = intAttr(call.node, 'num_heads', 1);
  const third = (projected.shape[2] ?? 0) / 3;
  const sizes = [...(intsAttr(call.node, 'qkv_hidden_sizes') ?? [third, third, third])];
  const [q, k, v] = tf.split(projected, sizes, 2).map((part) => inHeads(tf, part, heads));
  if (q === undefined || k === undefined || v === undefined) throw new TypeError('expected three widths');
  return attend(work, [q, k, v], beside);
};

const attention: Kernel = (work) => {
  const { tf, x, given } = work;
  refuse(work, [4, 6], 'keys and values of a cache');
  const bias = given(2);
  const plain = product(tf, x(0), x(1));
  const projected = bias === undefined ? plain : tf.add(plain, bias);
  return selfAttention(work, projected, { mask: given(3), bias: given(5) });
};

const quantizedAttention: Kernel = (work) => {
  const { tf, x, given } = work;
  refuse(work, [8], 'keys and values of a cache');
  const sum = tf.cast(integerProduct(tf, x(0), x(1), given(6), given(7)), 'float32');
  const projected = tf.add(tf.mul(tf.mul(sum, x(3)), x(4)), x(2));
  return selfAttention(work, projected, { mask: given(5), bias: undefined });
};

const embedding: Kernel = (work) => {
  const { tf, call, x, given } = work;
  const [batch = 1, length = 1] = x(0).shape;
  const positions = given(8) ?? tf.reshape(tf.range(0, length, 1, 'int32'), [1, length]);
  const segments = given(1);
  const words = tf.add(tf.gather(x(2), x(0)), tf.gather(x(3), positions));
  const total = segments === undefined ? words : tf.add(words, tf.gather(x(4), segments));
  const settings = { axes: [2], epsilon: floatAttr(call, 'epsilon', 1e-12) };
  const { y } = layerNorm(tf, [total, x(5), given(6)], settings);
  const mask = given(7);
  return [y, mask === undefined ? tf.zeros([batch], 'int32') : tf.sum(mask, 1), total];
};

/** Pairs of channels as the two halves of a head, or one beside the other. */
const turned = (work: Work, x: Tensor, cos: Tensor, sin: Tensor): Tensor => {
  const { tf, call } = work;
  const interleaved = intAttr(call.node, 'interleaved', 0) === 1;
  const half = (x.shape[3] ?? 0) / 2;
  const pairs = tf.reshape(x, [...x.shape.slice(0, 3), ...(interleaved ? [half, 2] : [2, half])]);
  const [a, b] = tf.unstack(pairs, interleaved ? 4 : 3);
  if (a === undefined || b === undefined) throw new TypeError('expected pairs of channels');
  const sides = [tf.sub(tf.mul(a, cos), tf.mul(b, sin)), tf.add(tf.mul(a, sin), tf.mul(b, cos))];
  return tf.reshape(tf.stack(sides, interleaved ? 4 : 3), x.shape);
};

/** Angles of positions: tables of rows by number, or rows as they are given. */
const angles = (tf: Library, table: Tensor, positions: Tensor | undefined, length: number): Tensor => {
  const alone = positions?.size === 1 && length !== 1;
  const counted = tf.range(0, length, 1, 'int32');
  const ids = positions === undefined ? undefined : alone ? tf.add(counted, tf.reshape(positions, [])) : positions;
  const rows = ids === undefined ? table : tf.gather(table, ids);
  const width = rows.shape.at(-1) ?? 1;
  return tf.reshape(rows, [rows.rank === 3 ? (rows.shape[0] ?? 1) : 1, 1, length, width]); // (batch, 1, length, width / 2)
};

const rotary =
  (at: { readonly cos: number; readonly sin: number; readonly positions: number }): Kernel =>
  (work) => {
    const { tf, call, x, given } = work;
    const heads = intAttr(call.node, 'num_heads', 0);
    const [data, flat] = [x(0), x(0).rank === 3];
    if (flat && heads === 0) throw new TypeError('has no kernel for one axis of heads and widths without num_heads');
    const split = flat ? inHeads(tf, data, heads) : data; // (batch, heads, length, width)
    const length = split.shape[2] ?? 1;
    const width = intAttr(call.node, 'rotary_embedding_dim', 0) || (split.shape[3] ?? 0);
    const [part, ...rest] = tf.split(split, [width, (split.shape[3] ?? 0) - width], 3);
    if (part === undefined) throw new TypeError('expected channels');
    const [cos, sin] = [
      angles(tf, x(at.cos), given(at.positions), length),
      angles(tf, x(at.sin), given(at.positions), length),
    ];
    const y = tf.concat([turned(work, part, cos, sin), ...rest.filter(({ size }) => size > 0)], 3);
    return flat ? tf.reshape(tf.transpose(y, [0, 2, 1, 3]), data.shape) : y;
  };

/** What fusions make of attention and of embeddings. */
export const attentions: Kernels = {
  'com.microsoft:MultiHeadAttention': multiHead,
  'com.microsoft:Attention': attention,
  'com.microsoft:QAttention': quantizedAttention,
  'com.microsoft:EmbedLayerNormalization': embedding,
  RotaryEmbedding: rotary({ cos: 1, sin: 2, positions: 3 }),
  'com.microsoft:RotaryEmbedding': rotary({ cos: 2, sin: 3, positions: 1 }),
};
