import { isRefusal } from '../ground/errors.ts';
import { GraphBuilder } from './builder.ts';
import { deducedSizes, pixelSizes, type Sizes } from './deduced-sizes.ts';
import { addDims, bindDim, type Dim, multiplyDims, type Shape, symbol, symbolsOf } from './dim.ts';
import type { Graph, TensorType, Value } from './graph.ts';
import type { DType } from './tensor.ts';

/** Small, and unequal to most sizes that models have: two axes of one length could be taken for one another. */
const PRIMES = [3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97];

/** Every size that a weight of the graph has. */
const sizesIn = ({ weights, inputs, types }: Graph): ReadonlySet<Dim> =>
  new Set([
    ...[...weights.values()].flatMap(({ dims }) => dims),
    ...inputs.flatMap((input) => types.get(input)?.shape ?? []),
  ]);

/** The symbols of a graph's inputs in their order. */
export const inputSymbols = ({ inputs, types }: Graph): readonly string[] => [
  ...new Set(inputs.flatMap((input) => (types.get(input)?.shape ?? []).flatMap(symbolsOf))),
];

/** What is known of symbols before any size is chosen: which stand for one size, and which for the sum of others. */
interface Guess {
  readonly alike: ReadonlyMap<string, string>;
  readonly sums: ReadonlyMap<string, readonly string[]>;
}

const wholeNumbers: ReadonlySet<DType | undefined> = new Set<DType | undefined>(['int64', 'int32', 'bool']);

const symbolAt = ({ types }: Graph, input: Value, axis: number): readonly string[] => {
  const dim = types.get(input)?.shape?.[axis];
  return dim === undefined ? [] : symbolsOf(dim).filter((name) => name === dim);
};

const alikeAlong = (graph: Graph, axis: number, inputs: readonly Value[]): Guess['alike'] => {
  const names = inputs.flatMap((input) => symbolAt(graph, input, axis));
  return new Map(names.map((name) => [name, names[0] ?? name]));
};

/** Inputs of tokens: whole numbers, (batch, sequence). */
const tokenInputs = ({ inputs, types }: Graph): readonly Value[] =>
  inputs.filter((input) => types.get(input)?.shape?.length === 2 && wholeNumbers.has(types.get(input)?.dtype));

/** Lengths that a mask over all positions has where those before are fed as states: theirs and that of the tokens. */
const overAll = (graph: Graph): Guess['sums'] => {
  const [ids, ...others] = tokenInputs(graph);
  const states = graph.inputs.filter((input) => (graph.types.get(input)?.shape?.length ?? 0) > 3);
  const past = states.flatMap((input) => [...symbolAt(graph, input, 2), ...symbolAt(graph, input, 3)])[0];
  const own = ids === undefined ? undefined : symbolAt(graph, ids, 1)[0];
  if (past === undefined || own === undefined) return new Map();
  const masks = others.flatMap((input) => symbolAt(graph, input, 1)).filter((name) => name !== own && name !== past);
  return new Map(masks.map((name) => [name, [own, past]]));
};

/** Positions before, which every state counts alike. */
const alikeStates = (graph: Graph): Guess['alike'] => {
  const states = graph.inputs.filter((input) => (graph.types.get(input)?.shape?.length ?? 0) === 4);
  return alikeAlong(graph, 2, states);
};

/** Exporters name one size by a symbol an input. Batches are alike; lengths, too, or sums of others, where they have to be. */
const guesses = (graph: Graph): readonly Guess[] => {
  const [examples, none] = [alikeAlong(graph, 0, graph.inputs), new Map<string, never>()];
  const lengths = alikeAlong(graph, 1, tokenInputs(graph));
  return [
    { alike: examples, sums: none },
    { alike: new Map([...lengths, ...examples]), sums: none },
    { alike: new Map([...alikeStates(graph), ...examples]), sums: overAll(graph) },
    { alike: none, sums: none },
  ];
};

/** A size for each symbol that is none of the model's own, each another: small ones, which positions and windows allow. */
const strangeSizes = (graph: Graph, { alike, sums }: Guess, given: Sizes): Sizes => {
  const taken = new Set<Dim>([...sizesIn(graph), ...Object.values(given)]);
  const free = PRIMES.filter((prime) => !taken.has(prime));
  const sizes: Record<string, number> = { ...given };
  for (const name of inputSymbols(graph)) {
    const same = alike.get(name) ?? name;
    sizes[same] ??= free.shift() ?? 101 + 2 * Object.keys(sizes).length;
    sizes[name] ??= sizes[same];
  }
  for (const [name, parts] of sums) {
    if (given[name] === undefined) sizes[name] = parts.reduce((sum, part) => sum + (sizes[part] ?? 0), 0);
  }
  return sizes;
};

const bound = (shape: Shape | undefined, sizes: Sizes): Shape | undefined => shape?.map((dim) => bindDim(dim, sizes));

const seenAt = (graph: Graph, sizes: Sizes): Graph => {
  const typeOf = (name: Value): TensorType | undefined => {
    const type = graph.types.get(name);
    return type === undefined ? undefined : { dtype: type.dtype, shape: bound(type.shape, sizes) };
  };
  const types = new Map(graph.inputs.map((input) => [input, typeOf(input)]).filter(isTyped));
  const builder = GraphBuilder.like({ ...graph, types });
  for (const node of graph.nodes) builder.add(node, typeOf);
  return { ...builder.freeze(graph.outputs), sizes };
};

const isTyped = (entry: readonly (Value | TensorType | undefined)[]): entry is [Value, TensorType] =>
  entry[1] !== undefined;

/**
 * The same graph, its nodes and weights themselves, seen at inputs of certain sizes: types have numbers where they had
 * symbols. What is found in such a view, by names of values, holds for the graph.
 */
export const concreteView = (graph: Graph, given: Sizes = {}): Graph => {
  const deduced = deducedSizes(graph);
  let refused: unknown;
  for (const pixels of pixelSizes(graph)) {
    for (const guess of guesses(graph)) {
      try {
        return seenAt(graph, strangeSizes(graph, guess, { ...pixels, ...deduced, ...given }));
      } catch (error) {
        if (!isRefusal(error)) throw error;
        refused ??= error;
      }
    }
  }
  throw refused;
};

/** The same graph seen at other sizes than a view: what is equal in both hangs on none of them. Undefined where no others fit. */
const otherView = (graph: Graph, { sizes = {} }: Graph): Graph | undefined => {
  const deduced = deducedSizes(graph);
  const doubled = Object.entries(sizes).map(([name, size]) => [name, deduced[name] ?? 2 * size]);
  try {
    return concreteView(graph, Object.fromEntries(doubled));
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return undefined;
  }
};

/** Every way in which a length commonly hangs on what is fed: so many times one symbol, a sum or a product of two. */
const expressions = (length: number, sizes: Sizes): readonly Dim[] => {
  const names = Object.keys(sizes);
  const times = (dim: Dim): readonly Dim[] => {
    const factor = length / Number(bindDim(dim, sizes));
    return Number.isInteger(factor) ? [multiplyDims(dim, factor)] : [];
  };
  const pairs = names.flatMap((a, i) => names.slice(i + 1).map((b) => [symbol(a), symbol(b)] as const));
  return [
    ...names.flatMap((name) => times(symbol(name))),
    ...pairs.map(([a, b]) => addDims(a, b)),
    ...pairs.flatMap(([a, b]) => times(multiplyDims(a, b))),
  ].filter((dim) => bindDim(dim, sizes) === length);
};

/**
 * What an axis counts, where inference over symbols cannot tell: read off its lengths in a view and in another one. Undefined where
 * nothing common explains both.
 */
export const countedIn = (graph: Graph, view: Graph): ((of: Value, axis: number) => Dim | undefined) => {
  let other: { readonly graph: Graph | undefined } | undefined;
  return (of, axis) => {
    other ??= { graph: otherView(graph, view) };
    const [seen, again] = [view, other.graph].map((one) => one?.types.get(of)?.shape?.[axis]);
    if (typeof seen !== 'number' || typeof again !== 'number') return undefined;
    if (seen === again) return seen;
    return expressions(seen, view.sizes ?? {}).find((dim) => bindDim(dim, other?.graph?.sizes ?? {}) === again);
  };
};
