import { GraphBuilder } from '../../builder.ts';
import { symbol } from '../../dim.ts';
import type { Attribute, Graph, Value } from '../../graph.ts';
import { any, node } from '../../rewrite/pattern.ts';
import { defineRule, held, type RuleSample } from '../../rewrite/rule.ts';
import { tensorOf } from '../../tensor.ts';
import { numberAttr } from './shared.ts';

/** Inputs of the two operators. */
const PACKED_MASK = 3;
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

const packed = (name: string, masked: boolean): RuleSample => ({
  name,
  graph: () => {
    const builder = new GraphBuilder(name);
    const x = builder.input('x', 'float32', [batch, sequence, WIDTH]);
    const weight = builder.weight('weight', tensorOf('float32', [WIDTH, 3 * WIDTH], numbers(3 * WIDTH * WIDTH)));
    const bias = builder.weight('bias', tensorOf('float32', [3 * WIDTH], numbers(3 * WIDTH)));
    const inputs = [x, weight, bias, ...(masked ? [maskOf(builder)] : [])];
    return builder.freeze([builder.op('com.microsoft:Attention', inputs, { num_heads: HEADS }, 'y')]);
  },
});

const apart = (name: string, masked: boolean, biased: boolean): RuleSample => ({
  name,
  graph: () => {
    const builder = new GraphBuilder(name);
    const roles = ['q', 'k', 'v'].map((role) => builder.input(role, 'float32', [batch, sequence, WIDTH]));
    const [q] = roles;
    if (q === undefined) throw new Error('queries are there');
    const scores = biased ? builder.op('MatMul', [q, builder.op('Transpose', [q], { perm: [0, 2, 1] })]) : null;
    const bias = scores === null ? null : builder.op('Unsqueeze', [scores, builder.ints([1])]);
    const inputs = [...roles, null, masked ? maskOf(builder) : null, bias];
    const attrs = { num_heads: HEADS, mask_filter_value: { float: -1e4 } };
    return builder.freeze([builder.op('com.microsoft:MultiHeadAttention', inputs, attrs, 'y')]);
  },
});

const isMatrix = (graph: Graph, name: Value | null | undefined): boolean =>
  name != null && graph.types.get(name)?.shape?.length === 2;

/** Attention whose three projections are one matrix, taken apart where padding is masked: (batch, sequence, width). */
export const maskedSelfAttention = defineRule({
  name: 'masked-self-attention',
  pattern: node('com.microsoft:Attention', [any('x'), any('weight'), any('bias')]),
  when: ({ graph, root, value }) => {
    const width = graph.types.get(value('weight'))?.shape?.[1];
    const sizes = root.attrs.qkv_hidden_sizes;
    const extra = root.inputs.slice(PACKED_MASK + 1).some((input) => input !== null);
    if (!isMatrix(graph, root.inputs[PACKED_MASK])) return held('no padding is masked');
    if (extra || numberAttr(root, 'unidirectional', 0) !== 0) return held('it looks at more than a mask');
    if (sizes?.kind === 'ints') return { widths: sizes.value };
    return typeof width === 'number' ? { widths: [width / 3, width / 3, width / 3] } : held('its width is not known');
  },
  replace: (builder, { root, value }, { widths }, output) => {
    const product = builder.op('Add', [builder.op('MatMul', [value('x'), value('weight')]), value('bias')]);
    const roles = builder.ops('Split', [product, builder.ints(widths)], roleCount, { axis: -1 });
    const { num_heads, scale, mask_filter_value } = root.attrs;
    const kept = Object.entries({ num_heads, scale, mask_filter_value }).filter(
      (entry): entry is [string, Attribute] => entry[1] !== undefined,
    );
    const inputs = [...roles, null, root.inputs[PACKED_MASK] ?? null];
    builder.add({ ...root, op: 'MultiHeadAttention', inputs, outputs: [output], attrs: Object.fromEntries(kept) });
    return output;
  },
  fires: [packed('with padding', true)],
  holds: [packed('without padding', false)],
});

const roleCount = 3;

/** A mask of padding as numbers that are added to the scores: (batch, keys) to (batch, 1, queries, keys). */
export const paddingAsBias = defineRule({
  name: 'padding-as-bias',
  pattern: node('com.microsoft:MultiHeadAttention', [any('query'), any('key'), any('value')]),
  when: ({ graph, root, value }) => {
    if (!isMatrix(graph, root.inputs[MASK])) return held('no padding is masked');
    return graph.types.get(value('query'))?.shape?.length === 3 ? {} : held('queries are packed');
  },
  replace: (builder, { root, value }, _, output) => {
    const mask = root.inputs[MASK] ?? value('query');
    const one = builder.scalar('float32', 1);
    const filter = builder.scalar('float32', numberAttr(root, 'mask_filter_value', FILTER));
    const padding = builder.op('Sub', [one, builder.op('Cast', [mask], { to: 1 })]);
    const scores = builder.op('Unsqueeze', [builder.op('Mul', [padding, filter]), builder.ints([1, 2])]); // (batch, 1, 1, keys)
    const length = builder.op('Shape', [value('query')], { start: 1, end: 2 });
    const shape = builder.op('Concat', [builder.ints([1, 1]), length, builder.ints([1])], { axis: 0 });
    const whole = builder.op('Expand', [scores, shape]); // (batch, 1, queries, keys)
    const own = root.inputs[BIAS] ?? null;
    const bias = own === null ? whole : builder.op('Add', [whole, own]);
    const inputs = [...root.inputs.slice(0, MASK), null, bias, ...root.inputs.slice(BIAS + 1)];
    builder.add({ ...root, inputs, outputs: [output] });
    return output;
  },
  fires: [apart('a mask', true, false), apart('a mask and a bias', true, true)],
  holds: [apart('a bias alone', false, true), apart('neither', false, false)],
});
