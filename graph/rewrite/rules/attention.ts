import { attentionOf } from '../../attention.ts';
import type { GraphBuilder } from '../../builder.ts';
import type { Dim, Shape } from '../../dim.ts';
import type { Graph, Value } from '../../graph.ts';
import { any, either, node, type Pattern, scalar } from '../pattern.ts';
import { defineRule, type Held, held, type Place } from '../rule.ts';
import { attentionSamples } from './attention-samples.ts';
import { type Padding, paddingOfBias, paddingOfCondition } from './mask.ts';
import { emitRoot, intOf, numberIn, outputType, permOf, typeOf } from './shared.ts';

/** A value that may be multiplied or divided by a number. */
const scaled = (inner: Pattern, name: string): Pattern =>
  either(
    node('Mul', [inner, scalar(name)], `${name}.times`),
    node('Div', [inner, scalar(name)], `${name}.over`),
    inner,
  );

/** (batch, sequence, heads * width) to (batch, sequence, heads, width). */
const split = (role: string, source: Pattern): Pattern =>
  node('Reshape', [source, any(`${role}.shape`)], `${role}.split`);

const query = scaled(
  node('Transpose', [split('query', scaled(any('query'), 'query.early'))], 'query.turn'),
  'query.late',
);
const key = scaled(
  either(
    node('Transpose', [split('key', any('key'))], 'key.turn'),
    node('Transpose', [node('Transpose', [split('key', any('key'))], 'key.first')], 'key.second'),
  ),
  'key.late',
);
const scores = scaled(node('MatMul', [query, key]), 'scores.scale');
const masked = either(
  node('Add', [scores, any('bias')]),
  node('Where', [any('condition'), scores, scalar('fill')], 'where.keeps'),
  node('Where', [any('condition'), scalar('fill'), scores], 'where.drops'),
  scores,
);
const mixed = node('MatMul', [
  node('Softmax', [masked], 'softmax'),
  node('Transpose', [split('value', any('value'))], 'value.turn'),
]);
const pattern = node('Reshape', [node('Transpose', [mixed], 'merge.turn'), any('merge.shape')]);

/** What stands between a match and the operator. */
interface Facts {
  readonly heads: number;
  readonly scale: number;
  readonly padding?: Padding;
  /** Added to the scores; `repeat` where it still has to be repeated for every query. */
  readonly bias?: { readonly value: Value; readonly repeat: boolean };
}

const turns: Readonly<Record<string, string>> = {
  'query.turn': '0,2,1,3',
  'key.turn': '0,2,3,1',
  'key.first': '0,2,1,3',
  'key.second': '0,1,3,2',
  'value.turn': '0,2,1,3',
  'merge.turn': '0,2,1,3',
};

const wrongTurn = (place: Place): string | undefined =>
  Object.entries(turns).find(([name, perm]) => {
    const found = place.named.get(name);
    return found !== undefined && permOf(found) !== perm;
  })?.[0];

/** Heads of one projection, where its reshape only splits the last axis. */
const headsOf = (place: Place, role: string): number | undefined => {
  const before = typeOf(place.graph, place.value(role));
  const after = outputType(place.graph, place.node(`${role}.split`));
  const heads = after?.shape?.[2];
  const width = after?.shape?.[3];
  if (before?.dtype !== 'float32' || before.shape?.length !== 3 || after?.shape?.length !== 4) return undefined;
  const kept = before.shape[0] === after.shape[0] && before.shape[1] === after.shape[1];
  return kept && typeof heads === 'number' && typeof width === 'number' && before.shape[2] === heads * width
    ? heads
    : undefined;
};

const mergesHeads = (place: Place): boolean => {
  const values = typeOf(place.graph, place.value('value'))?.shape;
  const queries = typeOf(place.graph, place.value('query'))?.shape;
  const root = outputType(place.graph, place.root)?.shape;
  return root?.length === 3 && root[0] === queries?.[0] && root[1] === queries?.[1] && root[2] === values?.[2];
};

/** How a bias of this shape reaches (batch, heads, queries, keys): as it is, repeated over queries, or not at all. */
const biasFit = (shape: Shape | undefined, query: Shape, keys: Dim, heads: number): 'as-is' | 'repeat' | undefined => {
  if (shape?.length !== 4 || shape[3] !== keys) return undefined;
  if ((shape[0] !== 1 && shape[0] !== query[0]) || (shape[1] !== 1 && shape[1] !== heads)) return undefined;
  return shape[2] === query[1] ? 'as-is' : shape[2] === 1 ? 'repeat' : undefined;
};

const maskFacts = (place: Place, heads: number): Pick<Facts, 'padding' | 'bias'> | Held => {
  const { graph, values } = place;
  const queries = typeOf(graph, place.value('query'))?.shape ?? [];
  const keys = typeOf(graph, place.value('key'))?.shape?.[1] ?? -1;
  const bias = values.get('bias');
  const condition = values.get('condition');
  if (condition !== undefined) {
    const padding = paddingOfCondition(graph, condition, {
      keepsWhereTrue: place.named.has('where.keeps'),
      filter: numberIn(graph, place.value('fill')),
      queries: queries[1] ?? -1,
    });
    return padding === undefined ? held('the condition that masks the scores is no padding mask') : { padding };
  }
  if (bias === undefined) return {};
  const padding = paddingOfBias(graph, bias, queries[1] ?? -1);
  if (padding !== undefined) return { padding };
  const fit = biasFit(typeOf(graph, bias)?.shape, queries, keys, heads);
  if (fit === undefined) return held('what is added to the scores has no shape that the operator takes');
  return { bias: { value: bias, repeat: fit === 'repeat' } };
};

const when = (place: Place): Facts | Held => {
  const wrong = wrongTurn(place);
  if (wrong !== undefined) return held(`the transposition ${wrong} is another one`);
  if (![-1, 3].includes(intOf(place.node('softmax'), 'axis', -1))) return held('softmax runs over another axis');
  const core = attentionOf(place.graph, place.node('softmax'));
  if (core === undefined) return held('no product of two activations stands on both sides of the softmax');
  const heads = headsOf(place, 'query');
  if (heads === undefined || headsOf(place, 'key') !== heads || headsOf(place, 'value') !== heads) {
    return held('queries, keys and values do not split into the same known number of heads');
  }
  if (!mergesHeads(place)) return held('the last reshape does not put the heads together again');
  const mask = maskFacts(place, heads);
  return 'held' in mask ? mask : { heads, scale: core.scale, ...mask };
};

const asInt32 = (builder: GraphBuilder, graph: Graph, mask: Value): Value =>
  graph.types.get(mask)?.dtype === 'int32' ? mask : builder.op('Cast', [mask], { to: 6 });

/** (batch, heads, 1, keys) to (batch, heads, queries, keys): the operator repeats a bias over batch and heads only. */
const repeated = (builder: GraphBuilder, bias: Value, query: Value): Value => {
  const length = builder.op('Shape', [query], { start: 1, end: 2 });
  const shape = builder.op('Concat', [builder.ints([1, 1]), length, builder.ints([1])], { axis: 0 });
  return builder.op('Expand', [bias, shape]);
};

/**
 * softmax(scale Q K^T + mask) V over heads (Vaswani et al. 2017, 1706.03762) as one MultiHeadAttention: no transposes
 * and no scores in memory. At one text of 12 tokens the six to nine small kernels of one attention cost 2-3 times as
 * much.
 */
export const attention = defineRule<Facts>({
  name: 'attention',
  pattern,
  when,
  replace: (builder, place, { heads, scale, padding, bias }) => {
    const roles = [place.value('query'), place.value('key'), place.value('value')];
    const added = bias?.repeat ? repeated(builder, bias.value, place.value('query')) : bias?.value;
    const mask = padding === undefined ? null : asInt32(builder, place.graph, padding.mask);
    const optional = added === undefined ? (mask === null ? [] : [null, mask]) : [null, null, added];
    return emitRoot(builder, place, 'com.microsoft:MultiHeadAttention', [...roles, ...optional], {
      num_heads: heads,
      scale: { float: scale },
      mask_filter_value: padding === undefined ? undefined : { float: padding.filter },
    });
  },
  ...attentionSamples,
});
