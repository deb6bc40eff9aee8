import { describe, expect, it } from 'vitest';
import type { Graph, Value } from '../../graph/graph.ts';
import { sitesOfWeight } from '../../graph/sites.ts';
import { numbersOf, tensorOf } from '../../graph/tensor.ts';
import { withoutUnits } from '../../models/anatomy/removal.ts';
import { keepTokens } from '../../models/anatomy/tokens.ts';
import { noUnits, partsIn, type UnitKind } from '../../models/anatomy/units.ts';
import { anatomyOf, type Part } from '../../models/anatomy.ts';
import type { Model } from '../../models/model.ts';
import { goldenDecoder, goldenDecoders } from './golden.ts';
import { scoresOf } from './scores.ts';

/** Sums in another order, over scores of up to 10. */
const ROUNDING = 2e-5;

const rows = [
  [0, 40, 77, 12, 200, 41, 9, 140],
  [0, 7, 99, 180],
];

/** The second of two groups of heads, or of four heads two: they lie behind one another. */
const heads = [2, 3];
const neurons = [1, 7, 8];

/** Indices that a layer's units own in what is computed of them: the rows of the matrix behind heads, or behind neurons. */
const behind = (
  graph: Graph,
  parts: readonly Part[],
  [kind, units]: readonly [UnitKind, readonly number[]],
): ReadonlyMap<Value, readonly number[]> => {
  const found = new Map<Value, readonly number[]>();
  for (const { group, count } of parts) {
    const asked = kind === 'heads' ? units.map((head) => Math.floor((head * count) / 4)) : units;
    for (const { value, axis, owner } of group?.weights ?? []) {
      const isInner = sitesOfWeight(graph, value).some(({ use }) => use.kind === 'linear' && use.inner === axis);
      if (isInner)
        found.set(
          value,
          Array.from(owner.keys()).filter((index) => asked.includes(owner[index] ?? -1)),
        );
    }
  }
  return found;
};

/** The graph in which some units say nothing: nobody reads what they make. */
const silent = (graph: Graph): Graph => {
  const weights = new Map(graph.weights);
  const anatomy = anatomyOf(graph);
  const asked = [['heads', heads] as const, ['ffn', neurons] as const];
  for (const [kind, units] of asked) {
    for (const [name, indices] of behind(graph, partsIn(anatomy, 0, kind), [kind, units])) {
      const tensor = weights.get(name);
      if (tensor === undefined) throw new Error(`no weight ${name}`);
      const [, width = 1] = tensor.dims;
      const numbers = Float32Array.from(numbersOf(tensor), (x, i) => (indices.includes(Math.floor(i / width)) ? 0 : x));
      weights.set(name, tensorOf('float32', tensor.dims, numbers));
    }
  }
  return { ...graph, weights };
};

const all = (model: Model) => scoresOf(model, rows, (scores) => scores);

const largest = (a: readonly (readonly (readonly number[])[])[], b: typeof a): number => {
  const [mine, theirs] = [a.flat(2), b.flat(2)];
  expect(mine.length).toBe(theirs.length);
  return Math.max(...mine.map((x, i) => Math.abs(x - (theirs[i] ?? Number.NaN))));
};

describe.each(goldenDecoders)('a decoder cut out of %s', (name) => {
  it('answers as the whole one in which nobody hears what is gone, and about the tokens that are left', async () => {
    const model = await goldenDecoder(name);
    const hushed = { ...model, graph: silent(model.graph) };
    const cut = {
      ...model,
      graph: withoutUnits(model.graph, { ...noUnits, heads: { 0: heads }, ffn: { 0: neurons } }),
    };
    const wanted = await all(hushed);
    expect(largest(wanted, await all(model))).toBeGreaterThan(1e-3);
    expect(largest(await all(cut), wanted)).toBeLessThan(ROUNDING);
    const kept = Array.from({ length: 210 }, (_, id) => id);
    const fewer = { ...cut, graph: keepTokens(cut, kept) };
    const about = wanted.map((row) => row.map((scores) => scores.slice(0, kept.length)));
    expect(largest(await all(fewer), about)).toBeLessThan(ROUNDING);
    expect(withoutUnits(cut.graph, { ...noUnits, layers: [1] }).nodes.length).toBeLessThan(cut.graph.nodes.length);
  });
});
