import { GraphBuilder } from '../../graph/builder.ts';
import { applyCuts, type CutGroup, followCut, isRefusal } from '../../graph/cut/index.ts';
import { type Graph, indexOf, type Node, readingAs, type Value } from '../../graph/graph.ts';
import type { Cut } from '../../graph/op.ts';
import { elementCount, float32Of, type Tensor, tensorOf } from '../../graph/tensor.ts';
import { stageError } from '../../ground/errors.ts';
import { modelTask } from '../../ground/tasks.ts';
import { rebuilt } from '../../models/anatomy/rebuild.ts';
import { HANDS_ON, statesIn } from '../../models/cache-places.ts';
import type { Model } from '../../models/model.ts';
import { targetOf, unsharedWords } from './counts.ts';
import type { Pruned } from './pruned.ts';
import type { Keep } from './targets.ts';

/** The keys or the values of a layer, (batch, heads of keys and values, sequence, width). */
interface Place {
  readonly layer: number;
  readonly role: 'key' | 'value';
  readonly at: Value;
  readonly heads: number;
  readonly width: number;
  /** Query heads, and the value that has their keys or values, once for each: the place itself where each has its own. */
  readonly queryHeads: number;
  readonly spread: Value;
}

const nameOf = ({ layer, role }: Place): string => `the ${role}s of layer ${layer}`;

/** The last value in the same layout that only repeats what is at a place. */
const spreadFrom = (graph: Graph, at: Value): { readonly spread: Value; readonly queryHeads: number } => {
  const { users } = indexOf(graph);
  let [found, heads] = [at, Number(graph.types.get(at)?.shape?.[1])];
  for (let next: Value | undefined = at; next !== undefined; ) {
    const readers: readonly Node[] = users.get(next) ?? [];
    const [reader] = readers;
    if (reader === undefined || readers.length > 1 || !HANDS_ON.has(reader.op)) break;
    next = reader.outputs[0];
    const shape = next === undefined ? undefined : graph.types.get(next)?.shape;
    const [, count, length, width] = shape ?? [];
    const alike = shape?.length === 4 && typeof length === 'string' && width === graph.types.get(at)?.shape?.[3];
    if (next !== undefined && alike && typeof count === 'number') [found, heads] = [next, count];
  }
  return { spread: found, queryHeads: heads };
};

const placesIn = (graph: Graph): readonly Place[] =>
  statesIn(graph).flatMap(({ heads, width, values }, layer) => {
    if (values === undefined) throw stageError('keep.kvHeads: attention is one node here; prune before fusing');
    return (['key', 'value'] as const).map((role): Place => {
      const at = values[role];
      return { layer, role, at, heads, width, ...spreadFrom(graph, at) };
    });
  });

/**
 * A weight in which the first heads are the means of those that they stand for: along one axis the n-th index of head i of `kept`
 * becomes the mean of the n-th ones of heads i r to i r + r - 1, r = heads / kept.
 */
const pooled = (tensor: Tensor, { axis, owner }: Cut, heads: number, kept: number): Tensor => {
  const own = Array.from({ length: heads }, (_, head) =>
    Array.from(owner.keys()).filter((index) => owner[index] === head),
  );
  const inner = elementCount(tensor.dims.slice(axis + 1));
  const outer = elementCount(tensor.dims.slice(0, axis));
  const data = float32Of(tensor).slice();
  const ratio = heads / kept;
  const at = (o: number, index: number, i: number): number => (o * owner.length + index) * inner + i;
  const mean = (o: number, head: number, n: number, i: number): number => {
    let sum = 0;
    for (let one = head * ratio; one < (head + 1) * ratio; one++) sum += data[at(o, own[one]?.[n] ?? 0, i)] ?? 0;
    return sum / ratio;
  };
  for (let o = 0; o < outer; o++) {
    for (let head = 0; head < kept; head++) {
      for (const [n, index] of (own[head] ?? []).entries()) {
        // Heads are read from the front on: what is written has been read.
        for (let i = 0; i < inner; i++) data[at(o, index, i)] = mean(o, head, n, i);
      }
    }
  }
  return tensorOf('float32', tensor.dims, data);
};

/** The weights that make keys and values, with the means of each new head where the first heads were. */
const withMeans = (graph: Graph, places: readonly Place[], kept: number): ReadonlyMap<Value, Tensor> => {
  const whole = GraphBuilder.from(graph);
  const weights = new Map(graph.weights);
  const done = new Set<string>();
  for (const place of places) {
    // What makes them, without the queries that read them.
    const group = followCut(whole.freeze([place.at]), { value: place.at, axis: 1 });
    if (isRefusal(group)) throw stageError(`keep.kvHeads: ${nameOf(place)} cannot be cut: ${group.refused}`);
    for (const cut of group.weights) {
      const [tensor, key] = [weights.get(cut.value), `${cut.axis}:${cut.value}:${cut.owner.join()}`];
      // Layers may share their weights.
      if (tensor === undefined || done.has(key)) continue;
      done.add(key);
      if (tensor.dtype !== 'float32')
        throw stageError(`keep.kvHeads: ${nameOf(place)} are made by ${tensor.dtype} weights: prune before quantizing`);
      weights.set(cut.value, pooled(tensor, cut, place.heads, kept));
    }
  }
  return weights;
};

const expectDividing = ({ heads, queryHeads, layer }: Place, kept: number): void => {
  if (kept > heads) throw stageError(`keep.kvHeads: ${kept} were to be kept of ${heads} in layer ${layer}`);
  if (heads % kept === 0 && queryHeads % kept === 0) return;
  throw stageError(
    `keep.kvHeads: ${kept} heads cannot stand for ${heads} in equal groups, and for ${queryHeads} query heads, in ` +
      `layer ${layer}: choose a number that divides both`,
  );
};

/** Values that go on as others. */
type Renamed = ReadonlyMap<Value, Value>;

const reading = (node: Node, renamed: Renamed): Node => readingAs(node, (input) => renamed.get(input) ?? input);

/** The first heads of a place, once for each query head: (batch, kept, sequence, width) to (batch, query heads, sequence, width). */
const repeated = (builder: GraphBuilder, { queryHeads, width }: Place, first: Value, kept: number): Value => {
  if (queryHeads === kept) return first;
  const own = builder.op('Unsqueeze', [first, builder.ints([2])]);
  const every = builder.op('Expand', [own, builder.ints([1, 1, queryHeads / kept, 1, 1])]);
  return builder.op('Reshape', [every, builder.ints([0, queryHeads, -1, width])]);
};

interface Narrowed {
  readonly graph: Graph;
  /** The first heads of each place, by themselves. */
  readonly firsts: ReadonlyMap<Value, Place>;
}

/** The graph in which attention reads the first heads of its keys and values alone. */
const narrowed = (graph: Graph, places: readonly Place[], kept: number): Narrowed => {
  const builder = GraphBuilder.like(graph, { weights: withMeans(graph, places, kept) });
  builder.reserve(graph.nodes.flatMap(({ outputs }) => outputs));
  const firsts = new Map<Value, Place>();
  const renamed = new Map<Value, Value>();
  const byValue = new Map(places.map((place) => [place.at, place]));
  for (const node of graph.nodes) {
    builder.add(reading(node, renamed), (output) => graph.types.get(output));
    for (const output of node.outputs) {
      const place = byValue.get(output);
      if (place === undefined) continue;
      const first = builder.op('Slice', [output, builder.ints([0]), builder.ints([kept]), builder.ints([1])]);
      firsts.set(first, place);
      renamed.set(place.spread, repeated(builder, place, first, kept));
    }
  }
  return { graph: builder.freeze(graph.outputs), firsts };
};

/** Without the heads that nothing reads, and without what left them out. */
const withoutRest = ({ graph, firsts }: Narrowed, kept: number): Graph => {
  const groups = [...firsts.values()].map((place): CutGroup => {
    const owner = Int32Array.from({ length: place.heads }, (_, head) => (head < kept ? -1 : head - kept));
    const group = followCut(graph, { value: place.at, axis: 1, owner });
    if (!isRefusal(group)) return group;
    throw stageError(`keep.kvHeads: ${nameOf(place)} cannot be cut: ${group.refused}`);
  });
  const cut = applyCuts(
    graph,
    groups,
    groups.map(() => []),
  );
  const whole = new Map([...firsts].map(([first, { at }]) => [first, at]));
  return rebuilt(cut, cut.weights, (node) =>
    node.outputs.some((output) => whole.has(output)) ? [] : reading(node, whole),
  );
};

/**
 * Fewer heads of keys and values, each the mean of those it stands for (Ainslie et al. 2023, 2305.13245, section 2.1): the columns
 * of their projections are pooled, and each head serves more query heads. All query heads stay.
 */
const pooledTo = (graph: Graph, places: readonly Place[], kept: number): Graph => {
  for (const place of places) expectDividing(place, kept);
  const more = places.filter(({ heads }) => heads > kept);
  return more.length === 0 ? graph : withoutRest(narrowed(graph, more, kept), kept);
};

/** What `keep.kvHeads` asks for: nothing where it is not said. */
export const poolKeys = (model: Model, { kvHeads }: Keep): Pruned => {
  if (kvHeads === undefined) return { model, metrics: {} };
  const { task, dimensions, modelType } = model.info;
  if (modelTask(task).reads !== 'before')
    throw stageError(`keep.kvHeads: only decoders have heads of keys and values that others share`);
  if (dimensions.kvHeads === undefined) throw stageError(`keep.kvHeads: ${unsharedWords(modelType)}`);
  const places = placesIn(model.graph);
  const from = Math.max(0, ...places.map(({ heads }) => heads));
  const to = targetOf(kvHeads, from).kept;
  return { model: { ...model, graph: pooledTo(model.graph, places, to) }, metrics: { kvHeads: { from, to } } };
};
