import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { idTargets } from '../../data/answer-targets.ts';
import { stream } from '../../data/random.ts';
import { type Encoded, encodedText } from '../../engine/encoded.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { encodeGraph } from '../../graph/codec/index.ts';
import type { Graph } from '../../graph/graph.ts';
import { float32Of, tensorOf } from '../../graph/tensor.ts';
import { anatomyOf, type Part } from '../../models/anatomy.ts';
import { macsOf } from '../../models/inspect.ts';
import type { Model } from '../../models/model.ts';
import { answerName } from '../../models/signature.ts';
import { fitted } from '../../stages/costs/fit.ts';
import { pairsOf, shareIn } from '../../stages/costs/pairs.ts';
import { shareOfTime } from '../../stages/costs/predict.ts';
import type { CostTable } from '../../stages/costs/table.ts';
import { capped, leastGraph } from '../../stages/costs/variants.ts';
import { bareCut, dividedWithin } from '../../stages/prune/budget/divide.ts';
import { type Budgeting, expectReachable, withinBudget } from '../../stages/prune/budget/index.ts';
import { levelsOf, widthsOf } from '../../stages/prune/budget/levels.ts';
import { chosenIn, measured } from '../../stages/prune/budget/measured.ts';
import { meterFor } from '../../stages/prune/budget/meter.ts';
import { type BudgetOptions, budget } from '../../stages/prune/budget/options.ts';
import { isMet, settled } from '../../stages/prune/budget/settle.ts';
import { itemsOf, type PartWays } from '../../stages/prune/budget/ways.ts';
import { pruneConfig } from '../../stages/prune/config.ts';
import { criterionOf } from '../../stages/prune/criteria/index.ts';
import { keepLayers } from '../../stages/prune/cut.ts';
import { batchesOf } from '../../stages/prune/examples.ts';
import { foreseePruning } from '../../stages/prune/foresee.ts';
import { prune } from '../../stages/prune/index.ts';
import { Harms } from '../../stages/quantize/sensitivity.ts';
import type { Wiring } from '../../stages/stage.ts';
import { importGolden } from '../models/golden-checkpoints.ts';
import { largestDifference, outputsOf } from '../models/support.ts';
import { wiringOf } from './training-rig.ts';

/** Float32 sums in another order. */
const ROUNDING = 1e-4;
/** Of a budget, what is left over at most: the steps of a model of two layers are coarse. */
const SPENT = 0.75;
const LENGTH = 8;

let model: Model;
let texts: readonly Encoded[];
beforeAll(async () => {
  model = await importGolden('bert');
  const random = stream(1, 'texts');
  const others = (model.info.dimensions.vocabulary ?? 0) - 5;
  texts = Array.from({ length: 8 }, () =>
    encodedText({ ids: Int32Array.from({ length: LENGTH }, () => 5 + random.integer(others)) }),
  );
});

const optionsOf = (given: object): BudgetOptions => budget.parse(given);

/** A table in which time is what multiply-accumulates say, but for a tenth that stays. */
const tableOf = (graph: Graph): CostTable => {
  const macs = (one: Graph): number => 0.1 + (0.9 * macsOf(one, LENGTH)) / macsOf(graph, LENGTH);
  const anatomy = anatomyOf(graph);
  const levels = (kind: 'heads' | 'ffn') => levelsOf(anatomy.layers[0]?.[kind][0] ?? { kind, count: 1 });
  const cut = (kind: 'heads' | 'ffn') =>
    levels(kind)
      .slice(0, -1)
      .map((level) => [level, macs(capped(graph, { [kind]: level }))] as const);
  const fewest = { heads: levels('heads')[0] ?? 1, ffn: levels('ffn')[0] ?? 1 };
  const least = capped(graph, fewest);
  const layers = anatomy.layers.length;
  const timed = {
    ...{ hidden: anatomy.hidden[0]?.count ?? 0, all: macs(graph), heads: cut('heads'), ffn: cut('ffn') },
    ...{ least: macs(least), one: macs(leastGraph(graph, new Set(['heads', 'ffn', 'layers']))) },
    blocks: { heads: layers, ffn: layers, layers, gone: layers - 1 },
  };
  const most = { heads: levels('heads').at(-1) ?? 1, ffn: levels('ffn').at(-1) ?? 1 };
  return {
    schema: 'decant.costs/1',
    cell: { batch: 1, length: LENGTH },
    threads: 1,
    as: 'float32',
    widths: [fitted(timed, most)],
  };
};

const budgeting = async (given: object, more: Partial<Budgeting> = {}): Promise<Budgeting> => {
  const { graph, info } = model;
  const options = optionsOf(given);
  const signal = new AbortController().signal;
  const table = options.p50 === undefined ? undefined : tableOf(graph);
  return {
    subject: {
      ...{ graph, model, asked: undefined, seed: 1, threads: 1, signal },
      batches: async () => batchesOf({ encoded: texts, targets: idTargets(texts.map(() => 0)) }, info),
      examples: async () => texts,
      progress: () => undefined,
    },
    ...{ kinds: options.cuts, criterion: criterionOf('magnitude'), compensate: 'none', rounds: 1 },
    meter: meterFor(options, graph, { length: LENGTH, table }),
    harms: await Harms.of({ graph, info, engine: cpuEngine, threads: 1, signal }, texts),
    timed: undefined,
    onCut: () => undefined,
    ...more,
  };
};

const outputsFor = async (graph: Graph): Promise<readonly number[]> => {
  const rows = batchesOf({ encoded: texts, targets: idTargets(texts.map(() => 0)) }, model.info);
  const logits = answerName(model.info.signature);
  return (
    await outputsOf(
      { ...graph, outputs: [logits] },
      rows.map(({ feeds }) => feeds),
    )
  ).flat();
};

/** The dense graph with zeros in all that is coupled with units that go. */
const masked = (graph: Graph, chosen: ReadonlyMap<Part, readonly number[]>): Graph => {
  const weights = new Map(graph.weights);
  for (const [part, kept] of chosen) {
    for (const { value, axis, owner } of part.group?.weights ?? []) {
      const tensor = weights.get(value);
      if (tensor?.dtype !== 'float32') continue;
      const stride = tensor.dims.slice(axis + 1).reduce((a, b) => a * b, 1);
      const stays = (i: number): boolean => kept.includes(owner[Math.floor(i / stride) % owner.length] ?? -1);
      weights.set(
        value,
        tensorOf(
          'float32',
          tensor.dims,
          float32Of(tensor).map((w, i) => (stays(i) ? w : 0)),
        ),
      );
    }
  }
  return { ...graph, weights };
};

describe('a budget', () => {
  it.each([
    ['macs', '50%'],
    ['macs', '25%'],
    ['bytes', '80%'],
  ] as const)('of %s is met, counted in what is left: %s', async (kind, share) => {
    const given = await budgeting({
      [kind]: share,
      cuts: kind === 'bytes' ? ['ffn', 'heads', 'layers', 'hidden'] : ['ffn', 'heads', 'layers'],
    });
    const { graph, metrics } = await withinBudget(given);
    const count = (one: Graph): number => (kind === 'macs' ? macsOf(one, LENGTH) : encodeGraph(one).length);
    const part = count(graph) / count(model.graph);
    expect(part).toBeLessThanOrEqual(Number.parseFloat(share) / 100);
    expect(part).toBeGreaterThan((SPENT * Number.parseFloat(share)) / 100);
    expect(metrics.budget).toMatchObject({ asked: { [kind]: share }, reached: expect.any(Number) });
    expect((await outputsFor(graph)).every(Number.isFinite)).toBe(true);
  });

  it.each([
    ['rounds', { rounds: 3 }, ['ffn', 'heads', 'layers']],
    ['the width of the stream', {}, ['ffn', 'hidden']],
  ] as const)('is met by %s, too', async (_, more, cuts) => {
    const given = await budgeting({ macs: '40%', cuts }, more);
    const { graph, metrics } = await withinBudget(given);
    expect(macsOf(graph, LENGTH) / macsOf(model.graph, LENGTH)).toBeLessThanOrEqual(0.4);
    const { layers, hidden } = anatomyOf(graph);
    const rows = Object(metrics.budget).layers;
    // What is told of each layer is what the graph has, by the numbers that layers had.
    expect(rows).toHaveLength(anatomyOf(model.graph).layers.length);
    const left = rows.filter(({ left }: { left?: string }) => left !== 'nothing');
    expect(left.map(({ heads, ffn }: { heads: number; ffn: number }) => [heads, ffn])).toEqual(
      layers.map(({ heads, ffn }) => [heads[0]?.count, ffn[0]?.count]),
    );
    expect(Object(metrics.hidden).to ?? hidden[0]?.count).toBe(hidden[0]?.count);
    expect((await outputsFor(graph)).every(Number.isFinite)).toBe(true);
  });

  it('cuts a graph that computes what the dense one does with zeros in place of what went', async () => {
    const given = await budgeting({ macs: '40%' });
    const found = await measured(given);
    const division = dividedWithin(found, given, given.meter.limit);
    const zeros = masked(model.graph, chosenIn(found.scores, division.left));
    const dense = keepLayers(zeros, anatomyOf(model.graph).layers.length, division.layers).graph;
    expect(largestDifference(await outputsFor(bareCut(found, division)), await outputsFor(dense))).toBeLessThan(
      ROUNDING,
    );
  });

  it('below what must stay is refused with what can be had, before any cut is measured', async () => {
    const cuts: number[] = [];
    const given = await budgeting({ macs: '1%' }, { onCut: (done) => cuts.push(done) });
    await expect(withinBudget(given)).rejects.toThrow(
      /^budget: 1% macs cannot be reached: with the fewest heads, ffn, layers that can stay it is at least .* M \(.* %\); ask for that, or let the width of the stream be cut, too/,
    );
    expect(cuts).toEqual([]);
  });

  it('of time is divided by a table, measured and corrected', async () => {
    // The machine of this test takes a fifth more for what is cut than its table says.
    const timed: number[] = [];
    const given = await budgeting({ p50: '2x' });
    const slower = async (graph: Graph): Promise<number> => {
      timed.push(1.2 * given.meter.count(graph));
      return timed.at(-1) ?? 0;
    };
    const { metrics } = await withinBudget({ ...given, timed: slower });
    expect(timed.length).toBeGreaterThan(1);
    expect(isMet(timed.at(-1) ?? 0, 1 / 2)).toBe(true);
    expect(metrics.budget).toMatchObject({ asked: { p50: '2x' } });
  });

  it('of time that even the smallest model does not keep to is refused with the most that can be had', async () => {
    const given = await budgeting({ p50: '2x' });
    await expect(withinBudget({ ...given, timed: async (graph) => 0.5 + given.meter.count(graph) })).rejects.toThrow(
      /^budget: 2x as quick cannot be reached: with the fewest heads, ffn, layers that can stay it is at most 1\.\d+x; ask for that/,
    );
  });

  it('of time that nothing settles is refused as that', async () => {
    const given = await budgeting({ p50: '2x' });
    const noise = [0.8, 0.2, 0.9, 0.1, 0.7, 0.3, 0.8, 0.2];
    await expect(withinBudget({ ...given, timed: async () => noise.shift() ?? 0.8 })).rejects.toThrow(
      /^budget: 2x as quick was asked for, and the nearest that was timed is 1\.\d+x, though more or less could be cut/,
    );
  });
});

describe('ways of having layers', () => {
  const part = (name: string, layer: number): Part => ({ name, kind: 'ffn', layers: [layer], count: 8, width: 1 });
  const level = fc.record({ level: fc.nat(8), takes: fc.integer({ min: -100, max: 0 }), harm: fc.nat(100) });
  const ways = fc.array(level, { minLength: 1, maxLength: 5 });

  it('hold the least harm of every choice that takes no more', () => {
    fc.assert(
      fc.property(ways, ways, fc.nat(200), (first, second, room) => {
        const parts: PartWays[] = [
          { part: part('a', 0), levels: first },
          { part: part('b', 0), levels: second },
        ];
        const layer = { index: 0 } as never;
        const [item] = itemsOf({ layers: [layer], hidden: [] }, parts, new Map());
        const all = first.flatMap((a) => second.map((b) => ({ takes: a.takes + b.takes, harm: a.harm + b.harm })));
        const fits = (takes: number): boolean => takes <= room - 200;
        const least = (harms: readonly number[]): number => Math.min(Number.POSITIVE_INFINITY, ...harms);
        const offered = (item?.rungs ?? []).filter(({ cost }) => fits(cost + (item?.takes ?? 0)));
        expect(least(offered.map(({ harm }) => harm))).toBe(
          least(all.filter(({ takes }) => fits(takes)).map(({ harm }) => harm)),
        );
      }),
    );
  });
});

describe('a table of costs', () => {
  it('adds up to the whole model and to the least that can be left of it', () => {
    const table = tableOf(model.graph);
    const least = leastGraph(model.graph, new Set(['heads', 'ffn', 'layers']));
    const share = (graph: Graph): number => 0.1 + (0.9 * macsOf(graph, LENGTH)) / macsOf(model.graph, LENGTH);
    expect(shareOfTime(table, model.graph)).toBeCloseTo(1, 6);
    expect(shareOfTime(table, least)).toBeCloseTo(share(least), 6);
    const half = capped(model.graph, { ffn: levelsOf({ kind: 'ffn', count: 64 })[4] ?? 1 });
    expect(shareOfTime(table, half)).toBeLessThan(1);
  });

  it('lets no block cost less for more units, whatever noise says', () => {
    const figure = fc.double({ min: 0.01, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(figure, { minLength: 2, maxLength: 6 }), figure, figure, (shares, least, one) => {
        const points = shares.map((share, i) => [i + 1, share] as const);
        const { ffn, heads, rest, layer } = fitted(
          {
            ...{ hidden: 8, all: 1, heads: points, ffn: points, least, one },
            blocks: { heads: 2, ffn: 2, layers: 2, gone: 1 },
          },
          { heads: 9, ffn: 9 },
        );
        for (const costs of [heads, ffn])
          expect(costs.map(([, cost]) => cost)).toEqual(costs.map(([, cost]) => cost).toSorted((a, b) => a - b));
        expect(Math.min(rest, layer, ...ffn.map(([, cost]) => cost))).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('turns', () => {
  const turn = (ms: number, waited: number) => ({ ms: [ms, ms * 1.1, ms * 1.2], waited });

  it('count where they were undisturbed, and only these', () => {
    const quiet = Array.from({ length: 8 }, (_, i) => [turn(1 + i, 0.01), turn(4 * (1 + i), 0)] as const);
    const loud = Array.from({ length: 20 }, () => [turn(90, 0.6), turn(3, 0.01)] as const);
    const all = [...loud, ...quiet];
    const found = shareIn(
      pairsOf(
        all.map(([mine]) => mine),
        all.map(([, theirs]) => theirs),
      ),
    );
    expect(found.busy).toBe(false);
    expect(found.share).toBeCloseTo(0.25, 9);
  });

  it('where too few were, tell by their quickest runs', () => {
    const all = Array.from(
      { length: 24 },
      (_, i) => [turn(i % 4 === 0 ? 1 : 30, 0.5), turn(i % 3 === 0 ? 5 : 60, 0.5)] as const,
    );
    const found = shareIn(
      pairsOf(
        all.map(([mine]) => mine),
        all.map(([, theirs]) => theirs),
      ),
    );
    expect(found.busy).toBe(true);
    expect(found.share).toBeCloseTo(0.2, 9);
  });
});

describe('settling', () => {
  it('comes within a few per cent of what is asked, whatever the table is off by', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0.05, max: 0.9, noNaN: true }),
        fc.double({ min: 0.5, max: 2, noNaN: true }),
        fc.double({ min: 0, max: 0.03, noNaN: true }),
        async (asked, factor, fixed) => {
          const measure = async (amount: number) => factor * amount + fixed * asked;
          const { found } = await settled(
            asked,
            async (amount) => amount,
            measure,
            (a, b) => a === b,
          );
          expect(isMet(found, asked)).toBe(true);
        },
      ),
    );
  });

  it('goes between what was too little and too much, where a machine makes more of a difference than the table', async () => {
    for (const asked of [0.1, 1 / 6, 0.4]) {
      const steep = async (amount: number) => amount ** 2.2 * 1.5;
      const { found } = await settled(
        asked,
        async (amount) => amount,
        steep,
        (a, b) => a === b,
      );
      expect(isMet(found, asked)).toBe(true);
    }
  });

  it('measures what a corrected amount makes again no second time', async () => {
    let measured = 0;
    const measure = async () => {
      measured++;
      return 0.4;
    };
    expect(
      await settled(
        0.2,
        async () => 'the same',
        measure,
        (a, b) => a === b,
      ),
    ).toEqual({ made: 'the same', found: 0.4 });
    expect(measured).toBe(1);
  });
});

describe('what a file asks for', () => {
  const messages = (given: object): readonly string[] => {
    const { error } = pruneConfig.safeParse(given);
    return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
  };

  it.each([
    [{ budget: {} }, 'budget: expected one of macs, bytes and p50; found none'],
    [{ budget: { macs: '30%', p50: '6x' } }, 'budget: expected one of macs, bytes and p50; found macs and p50'],
    [
      { budget: { macs: '100%' } },
      'budget.macs: expected multiply-accumulates of a text of the middle length: a share above 0% and below 100% such as \'30%\', or a whole number; found "100%"',
    ],
    [
      { budget: { bytes: '12' } },
      "budget.bytes: expected bytes of the file: a share above 0% and below 100% such as '30%', or bytes such as '12MB'; found \"12\"",
    ],
    [
      { budget: { p50: '1x' } },
      'budget.p50: expected how many times as quick, more than once, such as \'6x\'; found "1x"',
    ],
    [{ budget: { macs: '30%', as: 'int8' } }, 'budget.as: only p50 is timed: leave as out, or ask for p50'],
    [
      { keep: { heads: 2 }, budget: { macs: '30%', cuts: ['heads'] } },
      'budget.cuts: all that the budget may cut is kept by name: leave keep or budget out, or let it cut more (cuts)',
    ],
  ])('%j is refused where it stands', (given, message) => {
    expect(messages(given)).toEqual([message]);
  });

  it('bytes below the table of tokens are refused before anything runs', () => {
    const sizes = { vocabulary: 30_000, hidden: 384, layers: 6, heads: 12, ffn: 1536 };
    const problems = (given: object) =>
      foreseePruning(pruneConfig.parse({ criterion: 'magnitude', ...given }), {
        ...{ models: { model: { sizes, task: 'features' } }, data: undefined, base: '' },
      }).problems;
    expect(problems({ budget: { bytes: '12MB' } })).toEqual([
      {
        path: ['budget', 'bytes'],
        message:
          'the table of tokens alone takes at least 46.08 MB, more than the budget: allow more, cut tokens ' +
          '(keep: { vocabulary: used }), their width (keep: { embedding: 128 }) or the stream (cuts: [..., hidden])',
      },
    ]);
    const allowed = [
      { budget: { bytes: '60MB' } },
      { budget: { bytes: '12MB', cuts: ['ffn', 'hidden'] } },
      { keep: { vocabulary: 'used' }, budget: { bytes: '12MB' } },
      { keep: { embedding: 64 }, budget: { bytes: '12MB' } },
    ];
    for (const given of allowed) expect(problems(given)).toEqual([]);
  });

  it.each<[string, object, string | undefined]>([
    [
      'work',
      { macs: '0.5%' },
      '0.5% macs cannot be reached: with the fewest heads, ffn, layers that can stay it is at least 0.6 %; ask for more than that, or let the width of the stream be cut, too (cuts: [..., hidden])',
    ],
    ['work that can be had', { macs: '1.5%' }, undefined],
    [
      'work of neurons alone',
      { macs: '15%', cuts: ['ffn'] },
      '15% macs cannot be reached: with the fewest ffn that can stay it is at least 16.9 %; ask for more than that, or let the width of the stream be cut, too (cuts: [..., hidden])',
    ],
    [
      'work in numbers',
      { macs: 1000, cuts: ['ffn', 'layers', 'hidden', 'heads'] },
      '1000 macs cannot be reached: with the fewest ffn, layers, hidden, heads that can stay it is at least 15424 for a single token; ask for more than that',
    ],
    [
      'a share of bytes',
      { bytes: '40%' },
      '40% bytes cannot be reached: with the fewest heads, ffn, layers that can stay it is at least 45.2 %; ask for more than that, or let the width of the stream be cut, too (cuts: [..., hidden])',
    ],
    ['a share of bytes that can be had', { bytes: '80%' }, undefined],
    ['time, of which only a machine can tell', { p50: '500x' }, undefined],
  ])('%s below what must stay is refused before anything runs', (_, budget, message) => {
    const sizes = { vocabulary: 30_000, hidden: 384, layers: 6, heads: 12, ffn: 1536 };
    const options = pruneConfig.parse({ criterion: 'magnitude', budget });
    const { problems } = foreseePruning(options, {
      ...{
        models: { model: { sizes, task: 'features', maxLength: 256, modelType: 'bert' } },
        data: undefined,
        base: '',
      },
    });
    const [key] = Object.keys(budget);
    expect(problems).toEqual(message === undefined ? [] : [{ path: ['budget', key], message }]);
  });

  it('what planning refuses no model can be cut to, and the stage refuses what it can count before it asks the model anything', () => {
    const { layers, hidden } = anatomyOf(model.graph);
    const [first] = layers;
    const sizes = {
      ...{ vocabulary: anatomyOf(model.graph).vocabulary ?? 0, hidden: hidden[0]?.count ?? 0, layers: layers.length },
      ...{ heads: first?.heads[0]?.count ?? 0, ffn: first?.ffn[0]?.count ?? 0 },
    };
    for (const cuts of [['ffn'], ['heads'], ['layers'], ['heads', 'ffn', 'layers'], ['hidden'], ['hidden', 'ffn']]) {
      const parsed = optionsOf({ macs: '1%', cuts });
      const fewest = anatomyOf(model.graph).hidden.flatMap(() => {
        const narrow = cuts.includes('hidden') ? Math.min(...widthsOf(sizes.hidden)) : sizes.hidden;
        const least = leastGraph(capped(model.graph, { hidden: narrow, embedding: narrow }), new Set(cuts));
        return macsOf(least, LENGTH) / macsOf(model.graph, LENGTH);
      });
      const refusedAt = (share: number): boolean => {
        const options = pruneConfig.parse({ criterion: 'magnitude', budget: { macs: `${100 * share}%`, cuts } });
        const seen = foreseePruning(options, {
          models: { model: { sizes, maxLength: 64 } },
          data: undefined,
          base: '',
        });
        return (seen.problems ?? []).length > 0;
      };
      const [least = 0] = fewest;
      expect(refusedAt(least)).toBe(false);
      const meter = (share: number) =>
        meterFor(optionsOf({ macs: `${100 * share}%`, cuts }), model.graph, { length: LENGTH });
      expect(() => expectReachable({ kinds: parsed.cuts, meter: meter(0.99 * least) }, model.graph)).toThrow(
        'cannot be reached',
      );
      expect(() => expectReachable({ kinds: parsed.cuts, meter: meter(1.001 * least) }, model.graph)).not.toThrow();
    }
  });

  it('a budget of time has costs timed as the model will be stored', () => {
    const asked: unknown[] = [];
    const wiring: Wiring = {
      ...wiringOf(),
      step: (uses, config) => {
        asked.push([uses, config]);
        return { step: uses, output: 'costs' };
      },
    };
    prune.wire(pruneConfig.parse({ keep: { hidden: 16 }, budget: { p50: '6x', as: 'int8' } }), wiring);
    prune.wire(pruneConfig.parse({ budget: { p50: '6x', cuts: ['hidden', 'ffn'] } }), wiring);
    prune.wire(pruneConfig.parse({ budget: { macs: '50%' } }), wiring);
    expect(asked).toEqual([
      ['costs', { as: 'int8', widths: false, hidden: 16 }],
      ['costs', { as: 'float32', widths: true }],
    ]);
  });

  it('a budget beside what is kept by name divides the other kinds', () => {
    expect(messages({ keep: { layers: 3 }, budget: { p50: '6x', as: 'int8' } })).toEqual([]);
  });
});
