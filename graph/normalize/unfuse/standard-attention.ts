import type { GraphBuilder } from '../../builder.ts';
import { addDims, type Shape } from '../../dim.ts';
import type { Value } from '../../graph.ts';
import type { AttributeInput } from '../../op.ts';
import type { PassSample } from '../pass.ts';
import {
  type Fused,
  flagOf,
  has,
  inputAt,
  isComputed,
  needed,
  numberOf,
  outputAt,
  rankAt,
  sizeAt,
  typeAt,
  type Unfusion,
} from './fused.ts';
import { apart, behind, capped, causal, lengthOf, mixed, plus, scoresOf, shared, together, unseen } from './heads.ts';
import { batch, fusedNode, type SampleInputs, sampleOf, sequence } from './samples.ts';

const [QUERY, KEY, VALUE, MASK, PAST_KEY, PAST_VALUE, LENGTHS] = [0, 1, 2, 3, 4, 5, 6];
const QK = 3;

interface Facts {
  readonly rank: 3 | 4;
  readonly heads: number;
  readonly groups: number;
  readonly width: number;
  readonly valueWidth: number;
}

const factsOf = (at: Fused): Facts | undefined => {
  const rank = rankAt(at, QUERY);
  const [query, value] = [sizeAt(at, QUERY, -1), sizeAt(at, VALUE, -1)];
  if (query === undefined || value === undefined || rankAt(at, KEY) !== rank || rankAt(at, VALUE) !== rank)
    return undefined;
  if (rank === 4) {
    const [heads, groups] = [sizeAt(at, QUERY, 1), sizeAt(at, KEY, 1)];
    return heads === undefined || groups === undefined
      ? undefined
      : { rank, heads, groups, width: query, valueWidth: value };
  }
  const [heads, groups] = [numberOf(at, 'q_num_heads', 0), numberOf(at, 'kv_num_heads', 0)];
  const [width, valueWidth] = [query / heads, value / groups];
  return rank === 3 && Number.isInteger(width) && Number.isInteger(valueWidth)
    ? { rank, heads, groups, width, valueWidth }
    : undefined;
};

/** What the mask adds to scores: one of booleans says which keys are seen. */
const maskOf = (at: Fused, like: Value): Value | undefined => {
  const mask = inputAt(at, MASK);
  return mask !== undefined && typeAt(at, MASK)?.dtype === 'bool' ? unseen(at, mask, like) : mask;
};

/** The scores as softmax reads them, and as the last output wants them. */
const maskedScores = (at: Fused, query: Value, key: Value, scale: number): Value => {
  const past = inputAt(at, PAST_KEY);
  const mode = numberOf(at, 'qk_matmul_output_mode', 0);
  const shown = (own: number): string | undefined => (mode === own ? outputAt(at, QK) : undefined);
  const product = scoresOf(at, query, key, scale);
  if (shown(0) !== undefined) at.builder.op('Identity', [product], {}, shown(0));
  const first = past === undefined ? undefined : lengthOf(at, past, 2);
  const ahead = flagOf(at, 'is_causal') ? unseen(at, causal(at, query, key, first), product) : undefined;
  const scores = capped(at, product, numberOf(at, 'softcap', 0));
  return plus(at, plus(at, scores, maskOf(at, product)), ahead);
};

const write = (at: Fused, { rank, heads, groups, width, valueWidth }: Facts): void => {
  const headed = (position: number, count: number, own: number): Value =>
    rank === 4 ? needed(at, position) : apart(at, needed(at, position), count, own);
  const query = headed(QUERY, heads, width);
  const key = behind(at, inputAt(at, PAST_KEY), headed(KEY, groups, width), outputAt(at, 1));
  const value = behind(at, inputAt(at, PAST_VALUE), headed(VALUE, groups, valueWidth), outputAt(at, 2));
  const scale = at.node.attrs.scale === undefined ? 1 / Math.sqrt(width) : numberOf(at, 'scale', 1);
  const scores = maskedScores(at, query, shared(at, key, groups, heads, width), scale);
  const values = shared(at, value, groups, heads, valueWidth);
  if (rank === 4) mixed(at, scores, values, outputAt(at, 0));
  else together(at, mixed(at, scores, values), heads * valueWidth, outputAt(at, 0));
};

interface SampleParts {
  readonly rank?: 3 | 4;
  readonly groups?: number;
  readonly mask?: 'bool' | 'float' | 'row';
  readonly past?: number;
  readonly opset?: number;
  readonly attrs?: AttributeInput;
}

const maskFor = (builder: GraphBuilder, { mask }: SampleInputs, kind: SampleParts['mask']): Value | null => {
  const [queries, keys] = [
    builder.op('Unsqueeze', [mask, builder.ints([1, 3])]),
    builder.op('Unsqueeze', [mask, builder.ints([1, 2])]),
  ];
  switch (kind) {
    case 'row':
      return builder.op('Equal', [builder.op('Add', [builder.op('Sub', [queries, queries]), keys]), builder.scalar('int64', 1)]);
    case 'bool':
      return builder.op('Equal', [queries, keys]);
    case 'float':
      return builder.op('Cast', [builder.op('Mul', [queries, keys])], { to: 1 });
    default:
      return null;
  }
};

const sample = (name: string, { rank = 3, groups = 2, mask, past, opset = 23, attrs }: SampleParts = {}): PassSample =>
  sampleOf(
    name,
    (builder, inputs) => {
      const split = (x: Value): Value =>
        builder.op('Transpose', [builder.op('Reshape', [x, builder.ints([0, 0, -1, 4])])], { perm: [0, 2, 1, 3] });
      const narrow = (x: Value): Value =>
        groups === 2 ? x : builder.op('Slice', [x, builder.ints([0]), builder.ints([4 * groups]), builder.ints([2])]);
      const roles = [inputs.x, narrow(inputs.y), narrow(inputs.z)].map((x) => (rank === 4 ? split(x) : x));
      const cache = (role: string): Value | null =>
        past === undefined ? null : builder.input(role, 'float32', [batch, groups, past, 4]);
      const present: Shape = [batch, groups, addDims(sequence, past ?? 0), 4];
      const y: Shape = rank === 4 ? [batch, 2, sequence, 4] : [batch, sequence, 8];
      const sizes = rank === 3 ? { q_num_heads: 2, kv_num_heads: groups } : {};
      return fusedNode(
        builder,
        'Attention',
        [...roles, maskFor(builder, inputs, mask), cache('past_key'), cache('past_value')],
        past === undefined ? [y] : [y, present, present],
        { ...sizes, ...attrs },
      );
    },
    { opset },
  );

/** Attention of operator sets 23 and 24. */
export const standardAttention: Unfusion = {
  domain: '',
  op: 'Attention',
  plan: (at) => {
    const facts = factsOf(at);
    if (facts === undefined || !isComputed(at) || has(at, LENGTHS)) return undefined;
    if (!Number.isInteger(facts.heads / facts.groups)) return undefined;
    return outputAt(at, QK) === undefined ? () => write(at, facts) : undefined;
  },
  changes: [
    sample('packed heads'),
    sample('heads', { rank: 4 }),
    sample('one key for both heads', { groups: 1 }),
    sample('one key for both heads, apart, with a scale', { rank: 4, groups: 1, attrs: { scale: 0.3 } }),
    sample('no look ahead', { attrs: { is_causal: 1 } }),
    sample('a mask of keys', { mask: 'row' }),
    sample('a mask of booleans', { mask: 'bool', rank: 4 }),
    sample('a mask of numbers', { mask: 'float' }),
    sample('a cache', { past: 3 }),
    sample('a cache and no look ahead', { past: 3, attrs: { is_causal: 1 } }),
    sample('a cap', { attrs: { softcap: 2.5 }, mask: 'float' }),
    sample('operator set 24', { opset: 24, mask: 'row' }),
  ],
  leaves: [],
};
