import { cosineOf } from '../../data/cosine.ts';
import type { Encoded } from '../../engine/encoded.ts';
import { observe, type Seen, type Watching } from '../../engine/observe/index.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { dtypeCodes } from '../../graph/codec/dtypes.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import { hiddenStatesOf } from '../../models/anatomy/hidden-states.ts';
import type { Model } from '../../models/model.ts';

/** How near what a layer gives is to what it gave: cosines of the vectors of all tokens of some texts. */
export interface LayerCosine {
  readonly layer: number;
  readonly mean: number;
  readonly least: number;
}

/** Texts and bytes of hidden states that are enough to see which layer errs. */
const [TEXTS, BYTES] = [32, 64e6];
const FLOAT_BYTES = 4;

/** A graph that shows values as float32, and what they are called there. */
const showing = (
  graph: Graph,
  values: readonly Value[],
): { readonly graph: Graph; readonly shown: readonly Value[] } => {
  const builder = GraphBuilder.from(graph);
  const shown = values.map((value) =>
    graph.types.get(value)?.dtype === 'float16' ? builder.op('Cast', [value], { to: dtypeCodes.float32 }) : value,
  );
  return { graph: builder.freeze([...new Set([...graph.outputs, ...shown])]), shown };
};

/** Values of some texts, one by one, until they are too large to hold. */
const seenOn = async (watching: Watching, graph: Graph, values: readonly Value[], examples: readonly Encoded[]) => {
  const { graph: wider, shown } = showing(graph, values);
  const texts: (readonly Seen[])[] = [];
  let bytes = 0;
  await observe({ ...watching, graph: wider }, shown, examples, (seen) => {
    const own = shown.flatMap((value) => seen.get(value) ?? []);
    texts.push(own);
    bytes += own.reduce((sum, { data }) => sum + FLOAT_BYTES * data.length, 0);
    return bytes < BYTES;
  });
  return texts;
};

const cosinesOf = (before: Seen, after: Seen): readonly number[] =>
  Array.from({ length: before.rows }, (_, row) => cosineOf(before.data, row, after.data, row, before.width));

/** Layers whose output both graphs compute, with how near the two are. */
export const layersBeside = async (
  watching: Watching,
  source: Model,
  graph: Graph,
  examples: readonly Encoded[],
): Promise<readonly LayerCosine[]> => {
  const computed = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  const states = hiddenStatesOf(source).flatMap((state, layer) => (computed.has(state) ? [{ state, layer }] : []));
  if (states.length === 0) return [];
  const values = states.map(({ state }) => state);
  const before = await seenOn(watching, source.graph, values, examples.slice(0, TEXTS));
  const after = await seenOn(watching, graph, values, examples.slice(0, before.length));
  return states.map(({ layer }, i) => {
    const cosines = before.flatMap((text, t) => {
      const [was, is] = [text[i], after[t]?.[i]];
      return was === undefined || is === undefined ? [] : cosinesOf(was, is);
    });
    const mean = cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length;
    return { layer, mean, least: cosines.reduce((least, cosine) => Math.min(least, cosine), 1) };
  });
};
