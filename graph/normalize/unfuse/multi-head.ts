import type { GraphBuilder } from '../../builder.ts';
import { addDims, type Dim, type Shape } from '../../dim.ts';
import type { Value } from '../../graph.ts';
import type { AttributeInput } from '../../op.ts';
import {
  alias,
  divides,
  type Fused,
  flagOf,
  has,
  inputAt,
  isComputed,
  needed,
  numberOf,
  outputAt,
  parted,
  rankAt,
  shapeAt,
  sizeAt,
  type Unfusion,
} from './fused.ts';
import { apart, behind, exchanged, mixed, plus, scoresOf, together } from './heads.ts';
import { maskForm, maskScores } from './padding.ts';
import { asInt32, batch, fusedNode, type SampleInputs, sampleOf, sequence, weight } from './samples.ts';

const [QUERY, KEY, VALUE, BIAS, MASK, SCORES, PAST, PAST_LENGTH] = [0, 1, 2, 3, 4, 5, 6, 8];
const roles = ['query', 'key', 'value'] as const;
const QK = 3;

/** How queries, keys and values come: one by one, keys and values as heads, in pairs, or all in one. */
type Layout = 'apart' | 'heads' | 'pairs' | 'packed';

interface Facts {
  readonly layout: Layout;
  readonly heads: number;
  /** Of one head: of queries and keys, and of values. */
  readonly width: number;
  readonly valueWidth: number;
}

const layoutOf = (at: Fused): Layout | undefined => {
  const ranks = roles.map((_, i) => (has(at, i) ? rankAt(at, i) : 0)).join();
  return ({ '3,3,3': 'apart', '3,4,4': 'heads', '3,5,0': 'pairs', '5,0,0': 'packed' } as const)[ranks];
};

const factsOf = (at: Fused): Facts | undefined => {
  const layout = layoutOf(at);
  const heads = numberOf(at, 'num_heads', 0);
  const own = layout === 'packed' ? sizeAt(at, QUERY, -1) : (sizeAt(at, QUERY, -1) ?? Number.NaN) / heads;
  if (layout === undefined || own === undefined || heads <= 0 || !Number.isInteger(own)) return undefined;
  const value = sizeAt(at, VALUE, -1);
  const valueWidth = layout === 'apart' ? (value ?? Number.NaN) / heads : layout === 'heads' ? value : own;
  if (valueWidth === undefined || !Number.isInteger(valueWidth)) return undefined;
  return { layout, heads, width: own, valueWidth };
};

/** One of several that lie side by side: (batch, length, heads, several, width) to (batch, heads, length, width). */
const picked = (at: Fused, x: Value, index: number): Value =>
  exchanged(at, at.builder.op('Gather', [x, at.builder.scalar('int64', index)], { axis: 3 }));

/** Queries, keys and values as heads. */
const headed = (at: Fused, { layout, heads, width, valueWidth }: Facts): readonly Value[] => {
  const query = needed(at, QUERY);
  if (layout === 'packed') return roles.map((_, i) => picked(at, query, i));
  const bias = inputAt(at, BIAS);
  const sizes = [heads * width, heads * width, heads * valueWidth];
  const biases = bias === undefined ? [] : parted(at, bias, sizes, roles);
  const own = (i: number): Value =>
    apart(at, plus(at, needed(at, i), biases[i]), heads, i === VALUE ? valueWidth : width);
  if (layout === 'apart') return roles.map((_, i) => own(i));
  if (layout === 'heads') return [own(QUERY), needed(at, KEY), needed(at, VALUE)];
  return [own(QUERY), picked(at, needed(at, KEY), 0), picked(at, needed(at, KEY), 1)];
};

const write = (at: Fused, facts: Facts): void => {
  const { heads, width, valueWidth } = facts;
  const [query, ownKey, ownValue] = headed(at, facts);
  if (query === undefined || ownKey === undefined || ownValue === undefined) throw new Error('three roles');
  const key = behind(at, inputAt(at, PAST), ownKey, outputAt(at, 1));
  const value = behind(at, inputAt(at, PAST + 1), ownValue, outputAt(at, 2));
  if (!has(at, PAST)) {
    alias(at, key, 1);
    alias(at, value, 2);
  }
  const form = maskForm(at, MASK);
  const mask = form === undefined ? {} : { mask: { position: MASK, form } };
  const given = numberOf(at, 'scale', 0);
  const added = maskScores(at, { query, key, ...mask, unidirectional: flagOf(at, 'unidirectional') });
  const scores = plus(at, scoresOf(at, query, key, given === 0 ? 1 / Math.sqrt(width) : given), added);
  together(at, mixed(at, plus(at, scores, inputAt(at, SCORES)), value), heads * valueWidth, outputAt(at, 0));
};

interface SampleParts {
  readonly layout?: Layout;
  readonly width?: number;
  readonly bias?: boolean;
  readonly mask?: (builder: GraphBuilder, mask: Value) => Value;
  readonly scores?: boolean;
  readonly past?: number;
  readonly attrs?: AttributeInput;
}

const headsOf = (builder: GraphBuilder, x: Value, width: number): Value =>
  builder.op('Transpose', [builder.op('Reshape', [x, builder.ints([0, 0, 2, width])])], { perm: [0, 2, 1, 3] });

const valuesOf = (builder: GraphBuilder, z: Value, width: number): Value =>
  width === 4 ? z : builder.op('MatMul', [z, weight(builder, 'wider', 8, 2 * width)]);

const rolesOf = (builder: GraphBuilder, { x, y, z }: SampleInputs, { layout, width = 4 }: SampleParts) => {
  const side = (parts: readonly Value[]): Value =>
    builder.op(
      'Concat',
      parts.map((part) => builder.op('Reshape', [part, builder.ints([0, 0, 2, 1, 4])])),
      { axis: 3 },
    );
  switch (layout) {
    case 'packed':
      return [side([x, y, z]), null, null];
    case 'pairs':
      return [x, side([y, z]), null];
    case 'heads':
      return [x, headsOf(builder, y, 4), headsOf(builder, z, 4)];
    default:
      return [x, y, valuesOf(builder, z, width)];
  }
};

const sample = (name: string, parts: SampleParts = {}) =>
  sampleOf(name, (builder, inputs) => {
    const { width = 4, past, attrs } = parts;
    const cache = (role: string): Value | null =>
      past === undefined ? null : builder.input(role, 'float32', [batch, 2, past, 4]);
    const added = (): Value => {
      const product = builder.op('MatMul', [inputs.x, builder.op('Transpose', [inputs.x], { perm: [0, 2, 1] })]);
      return builder.op('Unsqueeze', [product, builder.ints([1])]);
    };
    const length: Dim = past === undefined ? sequence : addDims(sequence, past);
    const present: Shape = [batch, 2, length, 4];
    return fusedNode(
      builder,
      'com.microsoft:MultiHeadAttention',
      [
        ...rolesOf(builder, inputs, parts),
        parts.bias ? weight(builder, 'bias', 16 + 2 * width) : null,
        parts.mask === undefined ? null : parts.mask(builder, inputs.mask),
        ...[parts.scores ? added() : null, cache('past_key'), cache('past_value')],
      ],
      [[batch, sequence, 2 * width], ...(past === undefined ? [] : [present, present])],
      { num_heads: 2, ...attrs },
    );
  });

const lengths = (builder: GraphBuilder, mask: Value): Value =>
  asInt32(builder, builder.op('ReduceSum', [mask, builder.ints([1])], { keepdims: 0 }));

/** Attention of several heads as ONNX Runtime has it. */
export const multiHeadAttention: Unfusion = {
  domain: 'com.microsoft',
  op: 'MultiHeadAttention',
  plan: (at) => {
    const facts = factsOf(at);
    if (facts === undefined || !isComputed(at)) return undefined;
    if (has(at, MASK) && maskForm(at, MASK) === undefined) return undefined;
    const { layout, heads, width, valueWidth } = facts;
    const sizes = [heads * width, heads * width, heads * valueWidth];
    if (has(at, BIAS) && (layout !== 'apart' || !divides(sizes, heads, sizeAt(at, BIAS, -1)))) return undefined;
    if (outputAt(at, QK) !== undefined || has(at, PAST_LENGTH, PAST_LENGTH + 1)) return undefined;
    return shapeAt(at, QUERY) === undefined ? undefined : () => write(at, facts);
  },
  changes: [
    sample('nothing besides'),
    sample('a bias and padding', { bias: true, mask: asInt32 }),
    sample('lengths of texts', { mask: lengths }),
    sample('values of another width and a scale', { width: 6, bias: true, attrs: { scale: 0.3 } }),
    sample('scores that are added', { scores: true, mask: asInt32, attrs: { mask_filter_value: -5000.5 } }),
    sample('no look ahead', { attrs: { unidirectional: 1 } }),
    sample('a cache', { past: 3 }),
    sample('a cache and no look ahead', { past: 3, attrs: { unidirectional: 1 } }),
    sample('keys and values as heads', { layout: 'heads' }),
  ],
  leaves: [sample('whose heads do not divide its width', { attrs: { num_heads: 3 } })],
};
