import type { Value } from '../../graph.ts';
import { any, node, weight } from '../pattern.ts';
import { defineRule, held } from '../rule.ts';
import { biasesFit, columnsOf, packedWeight, roles } from './projections.ts';
import { selfAttentionSamples } from './projections-samples.ts';
import { intOf } from './shared.ts';

/** Inputs of MultiHeadAttention: 4 is the padding mask; 3, 5 and what follows have no place in QAttention. */
const maskInput = 4;

interface Facts {
  readonly weights: readonly Value[];
  readonly biases: readonly Value[];
  readonly mask: Value | null;
}

/**
 * Self-attention with its three projections as one Attention of ONNX Runtime, whose products land where each head reads
 * them: no Split, no transposition. Against packed projections an encoder of width 192 takes 15 % less at 32 texts of 12
 * tokens in INT8 and 5-10 % less at one text, in float and INT8.
 */
export const selfAttention = defineRule<Facts>({
  name: 'self-attention',
  pattern: node(
    'com.microsoft:MultiHeadAttention',
    roles.map((role) => node('Add', [node('MatMul', [any('x'), weight(`${role}.weight`)]), weight(`${role}.bias`)])),
  ),
  when: ({ graph, root, value }) => {
    const weights = roles.map((role) => value(`${role}.weight`));
    const biases = roles.map((role) => value(`${role}.bias`));
    const columns = columnsOf(graph, weights);
    if (columns === undefined) return held('the three matrices do not have the same number of rows');
    if (new Set(columns).size > 1) return held('queries, keys and values differ in width');
    if (!biasesFit(graph, biases, columns)) return held('a bias does not have one element a column');
    if ((columns[0] ?? 0) % intOf(root, 'num_heads', 1) !== 0) return held('the heads do not divide the width');
    const others = root.inputs
      .slice(roles.length)
      .filter((input, i) => input !== null && i + roles.length !== maskInput);
    if (others.length > 0 || root.outputs.length > 1) return held('scores get a bias, or keys come from a cache');
    return { weights, biases, mask: root.inputs[maskInput] ?? null };
  },
  replace: (builder, place, { weights, biases, mask }, output) => {
    const packed = [weights, biases].map((names) => packedWeight(builder, place.graph, names));
    const inputs = [place.value('x'), ...packed, ...(mask === null ? [] : [mask])];
    builder.add({ ...place.root, op: 'Attention', inputs }, (name) => place.graph.types.get(name));
    return output;
  },
  ...selfAttentionSamples,
});
