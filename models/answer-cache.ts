import { GraphBuilder } from '../graph/builder.ts';
import { bindDim, type Dim, type Shape, symbol } from '../graph/dim.ts';
import { type Graph, type Node, readingAs, type TensorType, type Value, value } from '../graph/graph.ts';
import { modelError } from '../ground/errors.ts';
import { type PlacedAttention, placesOfAttention } from './cache-places.ts';
import type { Model } from './model.ts';
import { answerName, expectInput, type Signature, type State } from './signature.ts';
import { sourceFeatures, writingSide } from './source.ts';

/** Axes as clients know them: of what is remembered every one but the batch is empty at first. */
const BATCH = symbol('batch_size');
const SOURCE = symbol('encoder_sequence_length');
const TARGET = symbol('decoder_sequence_length');
const PAST = symbol('past_decoder_sequence_length');
const PAST_SOURCE = symbol('past_encoder_sequence_length');

/** Behind every position. */
const END = 2 ** 31 - 1;

/** An attention of what writes: to the answer so far, or to the source. */
interface Place extends PlacedAttention {
  readonly to: 'decoder' | 'encoder';
  readonly layer: number;
}

const operandsOf = ({ at, fused, values }: PlacedAttention) => ({
  query: at.inputs[0] ?? undefined,
  key: fused === undefined ? values?.key : (at.inputs[1] ?? undefined),
});

/** The attentions of what writes, two a layer. */
const placesIn = (model: Model): readonly Place[] => {
  const { graph, info } = model;
  const writing = writingSide({ graph, signature: info.signature });
  const counts = { decoder: 0, encoder: 0 };
  const places = placesOfAttention(graph).flatMap((place): readonly Place[] => {
    const { query, key } = operandsOf(place);
    if (query === undefined || key === undefined || !writing.has(query)) return [];
    const to = writing.has(key) ? 'decoder' : 'encoder';
    return [{ ...place, to, layer: counts[to]++ }];
  });
  const halves = places.find(({ fused, values, at }) => {
    const key = fused === undefined ? values?.key : at.inputs[1];
    return key != null && graph.types.get(key)?.dtype === 'float16';
  });
  if (halves !== undefined) {
    throw modelError('keys and values are float16, and clients remember float32: export it in fp32, q8 or q4');
  }
  if (counts.decoder > 0 && counts.decoder === counts.encoder) return places;
  throw modelError(
    `what writes has ${counts.decoder} attentions to its answer and ${counts.encoder} to the source; expected one of each in every layer`,
  );
};

const roles = ['key', 'value'] as const;

const pastName = ({ layer, to }: Place, role: string): Value => value(`past_key_values.${layer}.${to}.${role}`);
const presentName = ({ layer, to }: Place, role: string): Value => value(`present.${layer}.${to}.${role}`);

type Renamed = Map<Value, Value>;

const sizeAlong = (builder: GraphBuilder, x: Value, axis: number): Value =>
  builder.op('Shape', [x], { start: axis, end: axis + 1 });

const scalarOf = (builder: GraphBuilder, size: Value): Value => builder.op('Squeeze', [size]);

/** Inputs of MultiHeadAttention in front of those that it remembers with. */
const BEFORE_PAST = 6;

class Remembering {
  readonly builder: GraphBuilder;
  readonly renamed: Renamed = new Map();
  readonly states: State[] = [];
  readonly #places: readonly Place[];

  constructor(builder: GraphBuilder, places: readonly Place[]) {
    this.builder = builder;
    this.#places = places;
    for (const place of places) {
      const length = place.to === 'decoder' ? PAST : PAST_SOURCE;
      for (const role of roles) {
        const past = builder.input(pastName(place, role), 'float32', [BATCH, place.heads, length, place.width]);
        this.states.push({
          past,
          present: presentName(place, role),
          axes: ['batch', place.heads, 'past', place.width],
        });
      }
    }
  }

  #pastOf(to: Place['to']): Value {
    const place = this.#places.find((one) => one.to === to);
    if (place === undefined) throw new Error('what writes remembers nothing');
    return pastName(place, 'key');
  }

  /** Positions of what is written now, and of all that was: one row for all. */
  counted({ queries, keys }: Readonly<Record<'queries' | 'keys', Value>>, written: Value): void {
    const { builder } = this;
    const past = scalarOf(builder, sizeAlong(builder, this.#pastOf('decoder'), 2));
    const own = scalarOf(builder, sizeAlong(builder, written, 1));
    const [zero, one] = [builder.scalar('int64', 0), builder.scalar('int64', 1)];
    const all = builder.op('Add', [past, own]);
    const rowOf = (start: Value): Value =>
      builder.op('Unsqueeze', [builder.op('Range', [start, all, one]), builder.ints([0])]);
    this.renamed.set(queries, rowOf(past));
    this.renamed.set(keys, rowOf(zero));
  }

  /** What of the source was not read before: all of it at first, and nothing afterwards. */
  unread(features: Value): void {
    const { builder } = this;
    const read = sizeAlong(builder, this.#pastOf('encoder'), 2);
    this.renamed.set(features, builder.op('Slice', [features, read, builder.ints([END]), builder.ints([1])]));
  }

  /** What was remembered in front of keys or values that were just made. */
  after(output: Value): void {
    const { builder } = this;
    for (const place of this.#places) {
      for (const role of roles) {
        if (place.values?.[role] !== output) continue;
        const [past, present] = [pastName(place, role), presentName(place, role)];
        if (place.to === 'decoder') {
          this.renamed.set(output, builder.op('Concat', [past, output], { axis: 2 }, present));
          continue;
        }
        // Clients keep what the first pass gave: later ones give nothing.
        builder.op('Identity', [output], {}, present);
        this.renamed.set(output, builder.op('Concat', [past, output], { axis: 2 }));
      }
    }
  }

  /** Keys or values of all heads side by side, each head's apart: (batch, length, width) to (batch, heads, length, head width). */
  #apart(place: Place, role: 'key' | 'value', flat: Value): Value {
    const { builder } = this;
    const apart = builder.op('Reshape', [flat, builder.ints([0, -1, place.heads, place.width])]);
    const present = presentName(place, role);
    builder.op('Transpose', [apart], { perm: [0, 2, 1, 3] }, present);
    return builder.op('Concat', [pastName(place, role), present], { axis: 2 });
  }

  /** The node as it remembers, where it is one that holds all of an attention. */
  with(node: Node): Node {
    const place = this.#places.find(({ fused }) => fused === node);
    if (place === undefined) return node;
    const before = Array.from({ length: BEFORE_PAST }, (_, i) => node.inputs[i] ?? null);
    if (place.to === 'decoder') {
      return {
        ...node,
        inputs: [...before, ...roles.map((role) => pastName(place, role))],
        outputs: [...node.outputs.slice(0, 1), ...roles.map((role) => presentName(place, role))],
      };
    }
    const [query, key, values, ...rest] = before;
    if (key == null || values == null) throw new Error('an attention without keys');
    const seen = (input: Value): Value => this.renamed.get(input) ?? input;
    const all = [this.#apart(place, 'key', seen(key)), this.#apart(place, 'value', seen(values))];
    return { ...node, inputs: [query ?? null, ...all, ...rest] };
  }
}

/** Inputs under the symbols of clients, without the positions, which are counted in the graph. */
const withInputs = ({ graph, info }: Model): GraphBuilder => {
  const builder = new GraphBuilder(graph.name, graph.opsets);
  builder.reserve(graph.nodes.flatMap(({ outputs }) => outputs));
  for (const { name, axes, role } of info.signature.inputs) {
    if (role === 'queries' || role === 'keys') continue;
    const { dtype = 'int64', shape = [] } = graph.types.get(name) ?? {};
    const named: Shape = shape.map((dim, i): Dim => {
      const axis = axes[i];
      return axis === 'batch' ? BATCH : axis === 'sequence' ? SOURCE : axis === 'target' ? TARGET : dim;
    });
    builder.input(name, dtype, named);
  }
  for (const [weight, tensor] of graph.weights) builder.weight(weight, tensor, graph.origins?.get(weight));
  return builder;
};

const known = { batch: BATCH, sequence: SOURCE, target: TARGET };

/** What a value was, where nothing but the file tells: what counts positions of the answer is longer by those before. */
const typeIn =
  (graph: Graph) =>
  (output: Value): TensorType | undefined => {
    const type = graph.types.get(output);
    return type?.shape === undefined ? type : { ...type, shape: type.shape.map((dim) => bindDim(dim, known)) };
  };

const remembering = (signature: Signature, states: readonly State[]): Signature => ({
  ...signature,
  inputs: signature.inputs.filter(({ role }) => role !== 'queries' && role !== 'keys'),
  states,
});

/**
 * The same encoder-decoder with what it remembers as inputs and outputs: keys and values of what is written, and of the source,
 * which are made once. With nothing remembered it answers as before.
 */
export const withAnswerCache = (model: Model): Model => {
  const { graph, info } = model;
  const { signature } = info;
  const places = placesIn(model);
  const features = sourceFeatures(graph, signature);
  const builder = withInputs(model);
  const kept = new Remembering(builder, places);
  const [queries, keys] = [expectInput(signature, 'queries'), expectInput(signature, 'keys')];
  kept.counted({ queries, keys }, expectInput(signature, 'written'));
  for (const node of graph.nodes) {
    builder.add(
      readingAs(kept.with(node), (input) => kept.renamed.get(input) ?? input),
      typeIn(graph),
    );
    for (const output of node.outputs) {
      kept.after(output);
      if (output === features) kept.unread(output);
    }
  }
  const { states } = kept;
  return {
    ...model,
    graph: builder.freeze([answerName(signature), ...states.map(({ present }) => present)]),
    info: { ...info, signature: remembering(signature, states) },
  };
};
