import type { Shape } from '../../dim.ts';
import { addDims } from '../../dim.ts';
import type { Value } from '../../graph.ts';
import type { AttributeInput } from '../../op.ts';
import type { PassSample } from '../pass.ts';
import {
  divides,
  type Fused,
  flagOf,
  has,
  inputAt,
  intsOf,
  isComputed,
  needed,
  numberOf,
  outputAt,
  parted,
  sizeAt,
  type Unfusion,
} from './fused.ts';
import { apart, behind, mixed, plus, scoresOf, together } from './heads.ts';
import { maskForm, maskScores } from './padding.ts';
import { asInt32, batch, fusedNode, type SampleInputs, sampleOf, sequence, weight } from './samples.ts';

const [X, WEIGHT, BIAS, MASK, PAST, SCORES, PAST_LENGTH] = [0, 1, 2, 3, 4, 5, 6];
const roles = ['query', 'key', 'value'] as const;

/** Widths of queries, keys and values over all heads. */
const widthsOf = (at: Fused): readonly number[] | undefined => {
  const packed = sizeAt(at, WEIGHT, -1);
  return intsOf(at, 'qkv_hidden_sizes') ?? (packed === undefined ? undefined : roles.map(() => packed / roles.length));
};

/** Keys or values of the cache, which holds both: (2, batch, heads, past, width). */
const cached = (at: Fused, role: number): Value | undefined => {
  const past = inputAt(at, PAST);
  return past === undefined
    ? undefined
    : at.builder.op('Gather', [past, at.builder.scalar('int64', role)], { axis: 0 });
};

const keep = (at: Fused, key: Value, value: Value): void => {
  const name = outputAt(at, 1);
  if (name === undefined) return;
  const pair = [key, value].map((one) => at.builder.op('Unsqueeze', [one, at.builder.ints([0])]));
  at.builder.op('Concat', pair, { axis: 0 }, name);
};

const write = (at: Fused, heads: number, widths: readonly number[]): void => {
  const { builder } = at;
  const [x, bias] = [needed(at, X), inputAt(at, BIAS)];
  const matrices = parted(at, needed(at, WEIGHT), widths, roles);
  const biases = bias === undefined ? [] : parted(at, bias, widths, roles);
  const [query = x, key = x, value = x] = matrices.map((matrix, i) => {
    const projected = plus(at, builder.op('MatMul', [x, matrix]), biases[i]);
    const own = apart(at, projected, heads, (widths[i] ?? 0) / heads);
    return i === 0 ? own : behind(at, cached(at, i - 1), own);
  });
  keep(at, key, value);
  const form = maskForm(at, MASK);
  const mask = form === undefined ? {} : { mask: { position: MASK, form } };
  const given = numberOf(at, 'scale', 0);
  const scale = given === 0 ? 1 / Math.sqrt((widths[0] ?? 0) / heads) : given;
  const added = maskScores(at, { query, key, ...mask, unidirectional: flagOf(at, 'unidirectional') });
  const scores = plus(at, plus(at, scoresOf(at, query, key, scale), added), inputAt(at, SCORES));
  together(at, mixed(at, scores, value), widths[2] ?? 0, outputAt(at, 0));
};

interface SampleParts {
  readonly mask?: (builder: Parameters<typeof weight>[0], mask: Value) => Value;
  readonly attrs?: AttributeInput;
  readonly sizes?: readonly [number, number, number];
  readonly past?: number;
  readonly unbiased?: boolean;
  readonly scores?: boolean;
}

const inputsOf = (
  builder: Parameters<typeof weight>[0],
  { x, mask }: SampleInputs,
  parts: SampleParts,
): readonly (Value | null)[] => {
  const { sizes = [8, 8, 8], past, scores = false, unbiased = false } = parts;
  const packed = sizes[0] + sizes[1] + sizes[2];
  const added = (): Value => {
    const product = builder.op('MatMul', [x, builder.op('Transpose', [x], { perm: [0, 2, 1] })]);
    return builder.op('Unsqueeze', [product, builder.ints([1])]);
  };
  return [
    x,
    weight(builder, 'weight', 8, packed),
    unbiased ? null : weight(builder, 'bias', packed),
    parts.mask === undefined ? null : parts.mask(builder, mask),
    past === undefined ? null : builder.input('past', 'float32', [2, batch, 2, past, 4]),
    scores ? added() : null,
  ];
};

const sample = (name: string, parts: SampleParts = {}): PassSample =>
  sampleOf(name, (builder, inputs) => {
    const { attrs, sizes = [8, 8, 8], past } = parts;
    const shapes: Shape[] = [[batch, sequence, sizes[2]]];
    if (past !== undefined) shapes.push([2, batch, 2, addDims(sequence, past), 4]);
    return fusedNode(builder, 'com.microsoft:Attention', inputsOf(builder, inputs, parts), shapes, {
      num_heads: 2,
      ...attrs,
    });
  });

const lengths: SampleParts['mask'] = (builder, mask) =>
  asInt32(builder, builder.op('ReduceSum', [mask, builder.ints([1])], { keepdims: 0 }));

const bounds: SampleParts['mask'] = (builder, mask) => {
  const ends = builder.op('ReduceSum', [mask, builder.ints([1])], { keepdims: 0 });
  return asInt32(
    builder,
    builder.op('Concat', [ends, builder.op('Sub', [ends, builder.op('Sign', [ends])])], { axis: 0 }),
  );
};

const pairs: SampleParts['mask'] = (builder, mask) => {
  const keys = builder.op('Unsqueeze', [mask, builder.ints([1])]);
  return asInt32(builder, builder.op('Mul', [builder.op('Unsqueeze', [mask, builder.ints([2])]), keys]));
};

const cachedTokens: SampleParts['mask'] = (builder, mask) => {
  const before = builder.op('Expand', [builder.scalar('int64', 1), builder.op('Shape', [mask])]);
  const three = builder.op('Slice', [
    builder.op('Concat', [before, before, before], { axis: 1 }),
    builder.ints([0]),
    builder.ints([3]),
    builder.ints([1]),
  ]);
  return asInt32(builder, builder.op('Concat', [three, mask], { axis: 1 }));
};

/** Self-attention of ONNX Runtime, whose packed matrix becomes one matrix a role. */
export const packedAttention: Unfusion = {
  domain: 'com.microsoft',
  op: 'Attention',
  plan: (at) => {
    const widths = widthsOf(at);
    const heads = numberOf(at, 'num_heads', 0);
    const known = !has(at, MASK) || maskForm(at, MASK) !== undefined;
    if (!isComputed(at) || widths?.length !== roles.length || !known) return undefined;
    const fit = [WEIGHT, BIAS].every(
      (position) => !has(at, position) || divides(widths, heads, sizeAt(at, position, -1)),
    );
    if (!fit || widths[0] !== widths[1]) return undefined;
    if (flagOf(at, 'do_rotary') || has(at, PAST_LENGTH)) return undefined;
    return () => write(at, heads, widths);
  },
  changes: [
    sample('nothing besides'),
    sample('tokens that are padding', { mask: asInt32 }),
    sample('lengths of texts', { mask: lengths }),
    sample('bounds of texts', { mask: bounds }),
    sample('keys of each query', { mask: pairs }),
    sample('no look ahead', { mask: asInt32, attrs: { unidirectional: 1 } }),
    sample('no look ahead behind a cache', { attrs: { unidirectional: 1 }, past: 3 }),
    sample('padding behind a cache', { mask: cachedTokens, past: 3 }),
    sample('unequal parts and a scale', { sizes: [8, 8, 12], attrs: { qkv_hidden_sizes: [8, 8, 12], scale: 0.3 } }),
    sample('scores that are added', { mask: asInt32, scores: true, attrs: { mask_filter_value: -5000.5 } }),
  ],
  leaves: [
    sample('that turns its heads', { attrs: { do_rotary: 1 } }),
    sample('whose heads do not divide its width', { attrs: { num_heads: 3 } }),
    sample('whose parts are not all of its matrix', { attrs: { qkv_hidden_sizes: [8, 8, 4] } }),
  ],
};
