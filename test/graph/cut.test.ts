import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../graph/builder.ts';
import { applyCuts, type CutGroup, followCut, isRefusal } from '../../graph/cut/index.ts';
import { symbol } from '../../graph/dim.ts';
import { type Graph, value } from '../../graph/graph.ts';
import { vector } from '../../graph/tensor.ts';
import { anatomyOf, bypassLayer, type Part, partsOf } from '../../models/anatomy.ts';
import { batchOf, largestDifference, outputsOf, smallEncoder } from '../models/support.ts';
import { countKeptOnly, maskWeights, shaken, someOf } from './cut-rig.ts';

/** Float32 sums in another order over some hundred terms of size one. */
const TOLERANCE = 1e-5;
/** A mutant counts as noticed only if it is off by far more than rounding. */
const NOTICED = 1e-3;

const feeds = [batchOf([[2, 3, 5], [7, 8, 4, 6, 2], [3]]), batchOf([[9, 1, 2, 4]])];

const run = async (graph: Graph): Promise<readonly number[]> => (await outputsOf(graph, feeds)).flat();

const differenceOf = async (a: Graph, b: Graph): Promise<number> => largestDifference(await run(a), await run(b));

const groupOf = (part: Part): CutGroup => {
  if (part.group === undefined) throw new Error(`${part.name}: ${part.refused}`);
  return part.group;
};

const models = (['pre', 'post'] as const).map((norm) => ({
  norm,
  graph: shaken(smallEncoder({ norm, activation: norm === 'pre' ? 'relu' : 'gelu' }).graph),
}));

/** Cut and masked graph for kept units drawn from a seed. The residual width masks its norms' statistics too. */
const cutAndMasked = (graph: Graph, parts: readonly Part[], seed: number): readonly [Graph, Graph] => {
  const groups = parts.map(groupOf);
  const kept = parts.map((part) => someOf(part.count, seed, part.name));
  const reference = parts.reduce(
    (dense, part, i) => (part.kind === 'hidden' ? countKeptOnly(dense, groupOf(part), kept[i] ?? []) : dense),
    maskWeights(graph, groups, kept),
  );
  return [applyCuts(graph, groups, kept), reference];
};

const parametersOf = (graph: Graph): number =>
  [...graph.weights.values()].reduce((sum, { dims }) => sum + dims.reduce((a, b) => a * b, 1), 0);

describe.each(models)('a $norm-norm encoder', ({ graph }) => {
  const parts = partsOf(anatomyOf(graph));

  test.each(['heads', 'ffn', 'hidden'] as const)(
    'without some %s equals the dense one with these masked',
    async (kind) => {
      const own = parts.filter((part) => part.kind === kind);
      expect(own.length).toBeGreaterThan(0);
      const [cut, masked] = cutAndMasked(graph, own, 1);
      expect(parametersOf(cut)).toBeLessThan(parametersOf(graph));
      expect(await differenceOf(cut, masked)).toBeLessThan(TOLERANCE);
      expect(await differenceOf(cut, graph)).toBeGreaterThan(NOTICED);
    },
  );

  test('cut in every way at once equals the masked one, whichever units are kept', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1e6 }), async (seed) => {
        const [cut, masked] = cutAndMasked(graph, parts, seed);
        expect(await differenceOf(cut, masked)).toBeLessThan(TOLERANCE);
      }),
      { numRuns: 12 },
    );
  });

  test('keeps its nodes, its inputs and its names', () => {
    const [cut] = cutAndMasked(graph, parts, 3);
    expect(cut.nodes.map(({ op, outputs }) => [op, outputs])).toEqual(
      graph.nodes.map(({ op, outputs }) => [op, outputs]),
    );
    expect(cut.inputs).toEqual(graph.inputs);
    expect(cut.outputs).toEqual(graph.outputs);
  });

  test('cut twice equals cut once to what is left', async () => {
    const own = parts.filter((part) => part.kind !== 'hidden');
    const first = applyCuts(
      graph,
      own.map(groupOf),
      own.map((part) => Array.from({ length: part.count - 1 }, (_, i) => i + 1)),
    );
    const again = partsOf(anatomyOf(first)).filter((part) => part.kind !== 'hidden');
    const twice = applyCuts(
      first,
      again.map(groupOf),
      again.map((part) => Array.from({ length: part.count - 1 }, (_, i) => i)),
    );
    const once = applyCuts(
      graph,
      own.map(groupOf),
      own.map((part) => Array.from({ length: part.count - 2 }, (_, i) => i + 1)),
    );
    expect(await run(twice)).toEqual(await run(once));
  });

  test('a mutant that slices one coupled weight by the wrong units is caught', async () => {
    const own = parts.filter((part) => part.kind === 'heads');
    const kept = own.map(() => [0, 1]);
    const mutants = own.map(groupOf).map((group) => ({
      ...group,
      axes: group.axes.map((cut) =>
        /value\.weight$/.test(cut.value) ? { ...cut, owner: cut.owner.toReversed() } : cut,
      ),
    }));
    const masked = maskWeights(graph, own.map(groupOf), kept);
    expect(await differenceOf(applyCuts(graph, own.map(groupOf), kept), masked)).toBeLessThan(TOLERANCE);
    expect(await differenceOf(applyCuts(graph, mutants, kept), masked)).toBeGreaterThan(NOTICED);
  });
});

describe('a layer', () => {
  const graph = shaken(smallEncoder({ layers: 3 }).graph);

  test.each([0, 1, 2])('%i bypassed equals the dense one with both its branches at zero', async (index) => {
    const layer = anatomyOf(graph).layers[index];
    if (layer === undefined) throw new Error(`no layer ${index}`);
    const weights = new Map(graph.weights);
    for (const [name, tensor] of graph.weights) {
      if (!name.includes(`layer.${index}.`) || !/output\.dense\.(weight|bias)$/.test(name)) continue;
      weights.set(name, {
        ...tensor,
        bytes: { length: tensor.bytes.length, read: () => new Uint8Array(tensor.bytes.length) },
      });
    }
    const bypassed = bypassLayer(graph, layer);
    expect(anatomyOf(bypassed).layers).toHaveLength(2);
    expect(await differenceOf(bypassed, { ...graph, weights })).toBeLessThan(TOLERANCE);
  });

  test('that puts out the features keeps their name when it is bypassed', async () => {
    const features = shaken(smallEncoder({ norm: 'post', labels: [] }).graph);
    const last = anatomyOf(features).layers.at(-1);
    if (last === undefined) throw new Error('no layers');
    const bypassed = bypassLayer(features, last);
    expect(bypassed.outputs).toEqual(features.outputs);
    expect(anatomyOf(bypassed).layers).toHaveLength(1);
    expect(await run({ ...features, outputs: [last.input] })).toEqual(await run(bypassed));
  });
});

describe('a refusal', () => {
  const build = (emit: (builder: GraphBuilder) => void): GraphBuilder => {
    const builder = new GraphBuilder('refusing');
    emit(builder);
    return builder;
  };

  test('names the input that would change', () => {
    const builder = build((b) => b.input('x', 'float32', [2, 4]));
    const sum = builder.op('Add', [value('x'), builder.weight('bias', vector('float32', [1, 2, 3, 4]))], {}, 'sum');
    const result = followCut(builder.freeze([sum]), { value: value('bias'), axis: 0 });
    expect(isRefusal(result) && result.refused).toBe("Add 'sum': it would change axis 1 of the input 'x'");
  });

  test('names an operator that decant has no record of', () => {
    const builder = build((b) => b.weight('table', vector('float32', [1, 2])));
    builder.add(
      { op: 'Mystery', domain: 'org.example', name: 'm', inputs: [value('table')], outputs: [value('y')], attrs: {} },
      () => ({ dtype: 'float32', shape: [2] }),
    );
    const result = followCut(builder.freeze([value('y')]), { value: value('table'), axis: 0 });
    expect(isRefusal(result) && result.refused).toBe("org.example:Mystery 'm': decant has no record of this operator");
    expect(isRefusal(result) && result.node?.name).toBe('m');
  });

  test('says when the axis has no fixed length or does not exist', () => {
    const builder = build((b) => b.input('x', 'float32', [symbol('batch'), 4]));
    const graph = builder.freeze([builder.op('Relu', [value('x')], {}, 'y')]);
    const refused = (axis: number) => {
      const result = followCut(graph, { value: value('y'), axis });
      return isRefusal(result) ? result.refused : undefined;
    };
    expect(refused(0)).toBe("axis 0 of 'y' has the variable length batch");
    expect(refused(5)).toBe("'y' has 2 axes and no axis 5");
  });

  test('to keep nothing, or a unit that is not there, is an error', () => {
    const { graph } = models[0] ?? { graph: undefined };
    if (graph === undefined) throw new Error('no model');
    const [heads] = partsOf(anatomyOf(graph)).filter((part) => part.kind === 'heads');
    if (heads === undefined) throw new Error('no heads');
    expect(() => applyCuts(graph, [groupOf(heads)], [[]])).toThrow(/nothing would be left of axis \d/);
    expect(() => applyCuts(graph, [groupOf(heads)], [[4]])).toThrow(/unit 4 .* does not exist: it has 4 units/);
  });
});

describe('units', () => {
  let graph: Graph;
  beforeAll(() => {
    const builder = new GraphBuilder('packed');
    const x = builder.weight('x', vector('float32', [1, 2, 3, 4, 5, 6, 7, 8], [1, 8]));
    const split = builder.op('Reshape', [x, builder.ints([1, 2, 4])], {}, 'split');
    graph = builder.freeze([builder.op('Relu', [split], {}, 'y')]);
  });

  test('are whole blocks where a reshape splits their axis', () => {
    const group = followCut(graph, { value: value('x'), axis: 1 });
    if (isRefusal(group)) throw new Error(group.refused);
    expect(group.units).toBe(2);
    expect(group.weights.map(({ owner }) => [...owner])).toEqual([[0, 0, 0, 0, 1, 1, 1, 1]]);
  });

  test('that start on the inner axis of a reshape repeat in the packed one and are not merged', () => {
    const group = followCut(graph, { value: value('y'), axis: 2 });
    if (isRefusal(group)) throw new Error(group.refused);
    expect(group.units).toBe(4);
    expect(group.weights.map(({ owner }) => [...owner])).toEqual([[0, 1, 2, 3, 0, 1, 2, 3]]);
    expect(applyCuts(graph, [group], [[0, 3]]).types.get(value('y'))?.shape).toEqual([1, 2, 2]);
  });

  test('of two cuts on one packed axis stay where both keep them', async () => {
    const outer = followCut(graph, { value: value('y'), axis: 1 });
    const inner = followCut(graph, { value: value('y'), axis: 2 });
    if (isRefusal(outer) || isRefusal(inner)) throw new Error('refused');
    const cut = applyCuts(graph, [outer, inner], [[1], [0, 3]]);
    expect(await outputsOf(cut, [{}])).toEqual([[5, 8]]);
  });
});
