import type { GraphBuilder } from '../../builder.ts';
import { addDims, type Shape } from '../../dim.ts';
import type { Value } from '../../graph.ts';
import type { AttributeInput } from '../../op.ts';
import type { PassSample } from '../pass.ts';
import {
  alias,
  type Fused,
  flagOf,
  has,
  inputAt,
  isComputed,
  made,
  needed,
  numberOf,
  outputAt,
  rankAt,
  scalarLike,
  sizeAt,
  type Unfusion,
} from './fused.ts';
import { apart, behind, capped, causal, LOWEST, lengthOf, plus, scoresOf, shared, together, unseen } from './heads.ts';
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

/** What is added to scores for keys that are not seen: where it is all there is, softmax makes no numbers, and those zero. */
const unseenScores = (at: Fused, like: Value): Value => scalarLike(at, like, Number.NEGATIVE_INFINITY);

/**
 * What a mask adds to scores, once for all who read it: one of booleans says which keys are seen, and in one of numbers the
 * lowest says so, too.
 */
const maskOf = (at: Fused, mask: Value, like: Value): Value => {
  const { builder } = at;
  const [added = mask] = made(at, mask, 'added', () => {
    if (builder.type(mask).dtype === 'bool') {
      return [builder.op('Where', [mask, scalarLike(at, like, 0), unseenScores(at, like)])];
    }
    const lowest = builder.op('LessOrEqual', [mask, scalarLike(at, mask, LOWEST)]);
    return [builder.op('Where', [lowest, unseenScores(at, like), mask])];
  });
  return added;
};

/** The value after so many steps as the last output, where that is asked for. */
const show = (at: Fused, step: number, x: Value): void => {
  if (numberOf(at, 'qk_matmul_output_mode', 0) === step) alias(at, x, QK);
};

/** What softmax reads. */
const maskedScores = (at: Fused, query: Value, key: Value, scale: number): Value => {
  const [past, mask] = [inputAt(at, PAST_KEY), inputAt(at, MASK)];
  const product = scoresOf(at, query, key, scale);
  show(at, 0, product);
  const scores = capped(at, product, numberOf(at, 'softcap', 0));
  show(at, 1, scores);
  const added = mask === undefined ? undefined : maskOf(at, mask, product);
  if (!flagOf(at, 'is_causal')) return plus(at, scores, added);
  const visible = causal(at, query, key, past === undefined ? undefined : lengthOf(at, past, 2));
  const ahead =
    added === undefined
      ? unseen(at, visible, product)
      : at.builder.op('Where', [visible, added, unseenScores(at, product)]);
  return plus(at, scores, ahead);
};

/** Shares of keys; none where a mask leaves no key. */
const sharesOf = (at: Fused, scores: Value): Value => {
  const { builder } = at;
  const shares = builder.op('Softmax', [scores], { axis: -1 });
  if (!has(at, MASK)) return shares;
  return builder.op('Where', [builder.op('IsNaN', [shares]), scalarLike(at, shares, 0), shares]);
};

const write = (at: Fused, { rank, heads, groups, width, valueWidth }: Facts): void => {
  const headed = (position: number, count: number, own: number): Value =>
    rank === 4 ? needed(at, position) : apart(at, needed(at, position), count, own);
  const query = headed(QUERY, heads, width);
  const key = behind(at, inputAt(at, PAST_KEY), headed(KEY, groups, width), outputAt(at, 1));
  const value = behind(at, inputAt(at, PAST_VALUE), headed(VALUE, groups, valueWidth), outputAt(at, 2));
  const scale = at.node.attrs.scale === undefined ? 1 / Math.sqrt(width) : numberOf(at, 'scale', 1);
  const scores = maskedScores(at, query, shared(at, key, groups, heads, width), scale);
  show(at, 2, scores);
  const shares = sharesOf(at, scores);
  show(at, 3, shares);
  const operands = [shares, shared(at, value, groups, heads, valueWidth)];
  if (rank === 4) at.builder.op('MatMul', operands, {}, outputAt(at, 0));
  else together(at, at.builder.op('MatMul', operands), heads * valueWidth, outputAt(at, 0));
};

interface SampleParts {
  readonly rank?: 3 | 4;
  readonly groups?: number;
  readonly mask?: 'bool' | 'float' | 'lowest' | 'row';
  readonly past?: number;
  readonly opset?: number;
  /** With what is asked of scores. */
  readonly shown?: true;
  readonly attrs?: AttributeInput;
}

const maskFor = (builder: GraphBuilder, { mask }: SampleInputs, kind: SampleParts['mask']): Value | null => {
  const [queries, keys] = [
    builder.op('Unsqueeze', [mask, builder.ints([1, 3])]),
    builder.op('Unsqueeze', [mask, builder.ints([1, 2])]),
  ];
  switch (kind) {
    case 'row':
      return builder.op('Equal', [
        builder.op('Add', [builder.op('Sub', [queries, queries]), keys]),
        builder.scalar('int64', 1),
      ]);
    case 'bool':
      return builder.op('Equal', [queries, keys]);
    case 'lowest': {
      const seen = builder.op('And', [builder.op('Cast', [queries], { to: 9 }), builder.op('Cast', [keys], { to: 9 })]);
      return builder.op('Where', [seen, builder.scalar('float32', 0), builder.scalar('float32', LOWEST)]);
    }
    case 'float':
      return builder.op('Cast', [builder.op('Mul', [queries, keys])], { to: 1 });
    default:
      return null;
  }
};

const sample = (
  name: string,
  { rank = 3, groups = 2, mask, past, shown, opset = 23, attrs }: SampleParts = {},
): PassSample =>
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
      const outputs = fusedNode(
        builder,
        'Attention',
        [...roles, maskFor(builder, inputs, mask), cache('past_key'), cache('past_value')],
        shown ? [y, null, null, [batch, 2, sequence, sequence]] : past === undefined ? [y] : [y, present, present],
        { ...sizes, ...attrs },
      );
      return outputs.filter((output) => output !== '');
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
    if (facts.groups <= 0 || facts.heads <= 0 || !Number.isInteger(facts.heads / facts.groups)) return undefined;
    return () => write(at, facts);
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
    sample('a mask of numbers that leaves no key', { mask: 'lowest' }),
    sample('a mask that leaves no key, and no look ahead', { mask: 'lowest', attrs: { is_causal: 1 } }),
    sample('a cache', { past: 3 }),
    sample('a cache and no look ahead', { past: 3, attrs: { is_causal: 1 } }),
    sample('a cap', { attrs: { softcap: 2.5 }, mask: 'float' }),
    sample('products of queries and keys', {
      shown: true,
      attrs: { qk_matmul_output_mode: 0, softcap: 2.5 },
      mask: 'float',
    }),
    sample('scores under a cap', { shown: true, attrs: { qk_matmul_output_mode: 1, softcap: 2.5 }, mask: 'float' }),
    sample('scores as softmax reads them', {
      shown: true,
      attrs: { qk_matmul_output_mode: 2, softcap: 2.5 },
      mask: 'float',
    }),
    sample('shares of keys', { shown: true, attrs: { qk_matmul_output_mode: 3 }, mask: 'bool' }),
    sample('operator set 24', { opset: 24, mask: 'row' }),
  ],
  leaves: [],
};
