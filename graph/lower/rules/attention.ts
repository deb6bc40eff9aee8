import { GraphBuilder } from '../../builder.ts';
import { symbol } from '../../dim.ts';
import type { Attribute, Graph, Node, Value } from '../../graph.ts';
import { any, node } from '../../rewrite/pattern.ts';
import { defineRule, held, type RuleSample } from '../../rewrite/rule.ts';
import { tensorOf } from '../../tensor.ts';
import { numberAttr } from './shared.ts';

/** Inputs of the two operators. */
const PACKED_MASK = 3;
const PACKED_BIAS = 3;
const MASK = 4;
const BIAS = 5;

/** What the operators add to the scores of padding where they are not told. */
const FILTER = -10_000;

const WIDTH = 8;
const HEADS = 2;

const numbers = (count: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i + 1));

const [batch, sequence] = [symbol('batch'), symbol('sequence')];

const maskOf = (builder: GraphBuilder): Value =>
  builder.op('Cast', [builder.input('mask', 'int64', [batch, sequence])], { to: 6 });

interface SampleOptions {
  readonly masked?: boolean;
  readonly biased?: boolean;
  readonly packedBias?: boolean;
  readonly unidirectional?: number;
}

const packed = (name: string, { masked, unidirectional }: SampleOptions): RuleSample => ({
  name,
  graph: () => {
    const builder = new GraphBuilder(name);
    const x = builder.input('x', 'float32', [batch, sequence, WIDTH]);
    const weight = builder.weight('weight', tensorOf('float32', [WIDTH, 3 * WIDTH], numbers(3 * WIDTH * WIDTH)));
    const bias = builder.weight('bias', tensorOf('float32', [3 * WIDTH], numbers(3 * WIDTH)));
    const inputs = [x, weight, bias, ...(masked ? [maskOf(builder)] : [])];
    return builder.freeze([builder.op('com.microsoft:Attention', inputs, { num_heads: HEADS, unidirectional }, 'y')]);
  },
});

const apart = (name: string, { masked, biased, packedBias, unidirectional }: SampleOptions): RuleSample => ({
  name,
  graph: () => {
    const builder = new GraphBuilder(name);
    const [q, k, v] = ['q', 'k', 'v'].map((role) => builder.input(role, 'float32', [batch, sequence, WIDTH]));
    if (q === undefined || k === undefined || v === undefined) throw new Error('three roles have three values');
    const scores = () => builder.op('MatMul', [q, builder.op('Transpose', [k], { perm: [0, 2, 1] })]);
    const inputs = [
      ...[q, k, v],
      packedBias ? builder.weight('bias', tensorOf('float32', [3 * WIDTH], numbers(3 * WIDTH))) : null,
      masked ? maskOf(builder) : null,
      biased ? builder.op('Unsqueeze', [scores(), builder.ints([1])]) : null,
    ];
    const attrs = { num_heads: HEADS, mask_filter_value: { float: FILTER }, unidirectional };
    return builder.freeze([builder.op('com.microsoft:MultiHeadAttention', inputs, attrs, 'y')]);
  },
});

const isMatrix = (graph: Graph, name: Value | null | undefined): boolean =>
  name != null && graph.types.get(name)?.shape?.length === 2;

const ROLES = ['query', 'key', 'value'] as const;

/** Attention whose three projections are one matrix, as a product and attention between its parts: (batch, sequence, width). */
export const packedAttention = defineRule({
  name: 'packed-attention',
  pattern: node('com.microsoft:Attention', [any('x'), any('weight'), any('bias')]),
  when: ({ graph, root, value }) => {
    const width = graph.types.get(value('weight'))?.shape?.[1];
    const sizes = root.attrs.qkv_hidden_sizes;
    const mask = root.inputs[PACKED_MASK];
    if (mask != null && !isMatrix(graph, mask)) return held('its mask is no matrix of padding');
    const extra = root.inputs.slice(PACKED_MASK + 1).some((input) => input !== null);
    if (extra || numberAttr(root, 'unidirectional', 0) !== 0) return held('it looks at more than a mask');
    if (sizes?.kind === 'ints') return { widths: sizes.value };
    return typeof width === 'number'
      ? { widths: ROLES.map(() => width / ROLES.length) }
      : held('its width is not known');
  },
  replace: (builder, { root, value }, { widths }, output) => {
    const product = builder.op('Add', [builder.op('MatMul', [value('x'), value('weight')]), value('bias')]);
    const roles = builder.ops('Split', [product, builder.ints(widths)], ROLES.length, { axis: -1 });
    const { num_heads, scale, mask_filter_value } = root.attrs;
    const attrs = Object.entries({ num_heads, scale, mask_filter_value }).filter(
      (entry): entry is [string, Attribute] => entry[1] !== undefined,
    );
    const inputs = [...roles, null, root.inputs[PACKED_MASK] ?? null];
    builder.add({ ...root, op: 'MultiHeadAttention', inputs, outputs: [output], attrs: Object.fromEntries(attrs) });
    return output;
  },
  fires: [packed('with padding', { masked: true }), packed('without padding', {})],
  holds: [packed('one that looks back alone', { unidirectional: 1 })],
});

/** A mask of padding as numbers that are added to the scores: (batch, keys) to (batch, 1, 1, keys). */
const maskScores = (builder: GraphBuilder, root: Node, mask: Value): Value => {
  const filter = builder.scalar('float32', numberAttr(root, 'mask_filter_value', FILTER));
  const padding = builder.op('Sub', [builder.scalar('float32', 1), builder.op('Cast', [mask], { to: 1 })]);
  return builder.op('Unsqueeze', [builder.op('Mul', [padding, filter]), builder.ints([1, 2])]);
};

/** (batch, length, heads * width) to (batch, heads, ..) in the order of `perm`. */
const headed = (builder: GraphBuilder, x: Value, sizes: readonly number[], perm: readonly number[]): Value =>
  builder.op('Transpose', [builder.op('Reshape', [x, builder.ints([0, 0, ...sizes])])], { perm });

/** softmax(scale Q K^T + bias) V over heads, in plain nodes. */
export const plainAttention = defineRule({
  name: 'plain-attention',
  pattern: node('com.microsoft:MultiHeadAttention', [any('query'), any('key'), any('value')]),
  when: ({ graph, root, value }) => {
    const heads = numberAttr(root, 'num_heads', 0);
    const widths = ROLES.map((role) => {
      const { shape } = graph.types.get(value(role)) ?? {};
      const width = shape?.at(-1);
      return shape?.length === 3 && typeof width === 'number' && width % heads === 0 ? width / heads : undefined;
    }).filter((width) => width !== undefined);
    const mask = root.inputs[MASK];
    if (widths.length < ROLES.length) return held('queries, keys and values are not three matrices of known width');
    if (mask != null && !isMatrix(graph, mask)) return held('its mask is no matrix of padding');
    const more = root.inputs.slice(BIAS + 1).some((input) => input !== null) || root.outputs.length > 1;
    return more || numberAttr(root, 'unidirectional', 0) !== 0
      ? held('it looks at more than a mask and a bias')
      : { heads, widths };
  },
  replace: (builder, { root, value }, { heads, widths }, output) => {
    const packedBias = root.inputs[PACKED_BIAS] ?? null;
    const sizes = builder.ints(widths.map((width) => width * heads));
    const biases = packedBias === null ? [] : builder.ops('Split', [packedBias, sizes], ROLES.length, { axis: 0 });
    const [query, key, values] = ROLES.map((role, i) => {
      const bias = biases[i];
      const x = bias === undefined ? value(role) : builder.op('Add', [value(role), bias]);
      return headed(builder, x, [heads, widths[i] ?? 0], role === 'key' ? [0, 2, 3, 1] : [0, 2, 1, 3]);
    });
    if (query === undefined || key === undefined || values === undefined)
      throw new Error('three roles have three values');
    const given = numberAttr(root, 'scale', 0);
    const scale = builder.scalar('float32', given === 0 ? 1 / Math.sqrt(widths[0] ?? 1) : given);
    const product = builder.op('MatMul', [builder.op('Mul', [query, scale]), key]); // (batch, heads, queries, keys)
    const mask = root.inputs[MASK] ?? null;
    const added = [mask === null ? null : maskScores(builder, root, mask), root.inputs[BIAS] ?? null];
    const scores = added.reduce<Value>((sum, one) => (one === null ? sum : builder.op('Add', [sum, one])), product);
    const mixed = builder.op('MatMul', [builder.op('Softmax', [scores], { axis: -1 }), values]);
    const merged = builder.op('Transpose', [mixed], { perm: [0, 2, 1, 3] });
    return builder.op('Reshape', [merged, builder.ints([0, 0, heads * (widths[2] ?? 0)])], {}, output);
  },
  fires: [
    apart('a mask and a bias', { masked: true, biased: true }),
    apart('nothing besides', {}),
    apart('a mask', { masked: true }),
    apart('a bias', { biased: true }),
    apart('a packed bias', { packedBias: true }),
  ],
  holds: [apart('one that looks back alone', { unidirectional: 1 })],
});
