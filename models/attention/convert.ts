import { attentionsOf } from '../../graph/attention.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { type Graph, indexOf, type Node, type Value } from '../../graph/graph.ts';
import { modelError } from '../../ground/errors.ts';
import { MASKED_SCORE } from '../blocks.ts';
import { type Beside, type FullAttention, fullAttention, type Source } from './core.ts';
import type { AttentionKind, Core, Place, Settings } from './kind.ts';
import { reshaped, sizeAt } from './pieces.ts';

/** A kind with all that it is told. */
export interface Chosen {
  readonly kind: AttentionKind;
  readonly settings: Settings;
  readonly seed: number;
  /** Positions that the model has. */
  readonly longest: number;
}

/** Heads side by side: (batch, sequence, heads * width). */
const flat = (builder: GraphBuilder, { value, layout }: Source, width: number): Value => {
  if (layout === 'flat') return value;
  const behind = layout === 'behind' ? value : builder.op('Transpose', [value], { perm: [0, 2, 1, 3] });
  return reshaped(builder, behind, [0, 0, width]);
};

/** What is added to the scores of keys: (batch, 1, 1, sequence). */
const addedOf = (builder: GraphBuilder, beside: Beside): Value => {
  if (beside.kind === 'added') return beside.value;
  const [none, masked] = [builder.scalar('float32', 0), builder.scalar('float32', MASKED_SCORE)];
  return builder.op('Where', [beside.condition, ...(beside.keeps ? [none, masked] : [masked, none])]);
};

/** One bias of keys for every text: bounded, since -Infinity would make padding NaN, which spreads. */
const biasOf = (place: Place, { beside }: FullAttention, query: Value): Value => {
  const { builder } = place;
  const named = beside.map((one) => (one.kind === 'added' ? one.value : `${one.condition} ${one.keeps}`)).join(', ');
  return place.shared(`bias ${named}`, () => {
    const [first, ...more] = beside.map((one) => addedOf(builder, one));
    const sum = more.reduce<Value | undefined>((a, b) => (a === undefined ? b : builder.op('Add', [a, b])), first);
    const bounded = sum && builder.op('Max', [sum, builder.scalar('float32', MASKED_SCORE)]);
    if (bounded !== undefined && builder.type(bounded).shape?.[0] === builder.type(query).shape?.[0]) return bounded;
    const length = sizeAt(builder, query, 1);
    const shape = builder.op('Concat', [sizeAt(builder, query, 0), builder.ints([1, 1]), length], { axis: 0 });
    return builder.op('Expand', [bounded ?? builder.scalar('float32', 0), shape]);
  });
};

const coreOf = (place: Place, full: FullAttention): Core => {
  const { builder } = place;
  const { heads, headWidth, attention, dropout } = full;
  const [query, key, value] = [full.query, full.key, full.value].map((one) => flat(builder, one, heads * headWidth));
  if (query === undefined || key === undefined || value === undefined) throw new Error('attention has three operands');
  const bias = biasOf(place, full, query);
  return { query, key, value, heads, scale: attention.scale, bias, ...(dropout === undefined ? {} : { dropout }) };
};

/** Emits the kind in the place of one attention, under the name of what that put out. */
const emitInstead = (place: Place, { kind, settings }: Chosen, full: FullAttention): void => {
  const { builder } = place;
  const { heads, headWidth, output, together } = full;
  const mixed = kind.emit(place, settings, coreOf(place, full));
  if (together) builder.op('Identity', [mixed], {}, output);
  else {
    const apart = reshaped(builder, mixed, [0, 0, heads, headWidth]);
    builder.op('Transpose', [apart], { perm: [0, 2, 1, 3] }, output);
  }
};

/** Nodes in an order in which the place of each attention comes behind all that it reads. */
const emitting = (graph: Graph, instead: ReadonlyMap<Node, (builder: GraphBuilder) => void>): Graph => {
  const builder = GraphBuilder.like(graph);
  for (const node of graph.nodes) {
    const emit = instead.get(node);
    if (emit === undefined) builder.add(node, (output) => graph.types.get(output));
    else emit(builder);
  }
  return builder.freeze(graph.outputs);
};

/** The attentions of the layers that are named, in the order of the graph. */
const chosenIn = (graph: Graph, layers: readonly number[] | undefined) => {
  const all = attentionsOf(graph);
  if (all.length === 0) {
    throw modelError(
      'the model has no attention in pieces: nothing that a softmax over scores of queries and keys shows',
    );
  }
  const beyond = layers?.find((layer) => layer >= all.length);
  if (beyond !== undefined) throw modelError(`the model's attentions are 0 to ${all.length - 1}; found ${beyond}`);
  return all.map((attention, layer) => ({ attention, layer })).filter(({ layer }) => layers?.includes(layer) ?? true);
};

/** The graph with another kind of attention in the layers that are named, or in all; weights stay as they are. */
export const withAttention = (graph: Graph, chosen: Chosen, layers?: readonly number[]): Graph => {
  const known = new Map<string, Value>();
  const instead = new Map<Node, (builder: GraphBuilder) => void>();
  for (const { attention, layer } of chosenIn(graph, layers)) {
    const full = fullAttention(graph, attention);
    const node = indexOf(graph).producer.get(full.output);
    if (node === undefined) throw new Error(`nothing computes '${full.output}'`);
    const scope = `attention.${layer}.${chosen.kind.name}`;
    instead.set(node, (builder) => {
      const place: Place = {
        builder,
        draw: { seed: chosen.seed, layer, longest: chosen.longest },
        parameter: (name, make) => builder.weight(`${scope}.${name}`, make()),
        shared: (key, emit) => {
          const value = known.get(key) ?? emit();
          known.set(key, value);
          return value;
        },
      };
      builder.within(scope, () => emitInstead(place, chosen, full));
    });
  }
  return emitting(graph, instead);
};
