import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import { value } from '../../graph/graph.ts';
import { sitesOf } from '../../graph/sites.ts';
import { parsePattern, patternOf, patterns } from '../../stages/prune/patterns/index.ts';
import type { Scored } from '../../stages/prune/patterns/pattern.ts';
import { type Plane, placeIn } from '../../stages/prune/plane.ts';
import { planeOf } from '../../stages/prune/plane-of.ts';
import { saliencies, saliencyOf } from '../../stages/prune/saliencies/index.ts';
import type { Look, OfGradients, Saliency, State, Weight } from '../../stages/prune/saliencies/saliency.ts';
import { isTaught } from '../../stages/prune/zero-options.ts';
import { smallEncoder } from '../models/support.ts';

const drawn = (count: number, ...purpose: (string | number)[]): Float32Array => {
  const random = stream(5, 'zeros', ...purpose);
  return Float32Array.from({ length: count }, () => random.normal());
};

const scoredOf = (planes: readonly Plane[], seed: number): readonly Scored[] =>
  planes.map((plane, i) => ({ plane, scores: drawn(plane.rows * plane.width, seed, i).map(Math.abs) }));

const count = (marks: Iterable<number>): number => [...marks].reduce((sum, mark) => sum + mark, 0);

const planes = (rows: number, columns: number): fc.Arbitrary<readonly Plane[]> =>
  fc.array(
    fc.record({
      rows: fc.integer({ min: 1, max: 6 }).map((size) => size * rows),
      width: fc.integer({ min: 1, max: 6 }).map((size) => size * columns),
      turned: fc.boolean(),
    }),
    { minLength: 1, maxLength: 4 },
  );

const share = fc.double({ min: 0.05, max: 0.95, noNaN: true });
const compete = fc.constantFrom('row', 'matrix', 'model');
const seed = fc.nat(1000);

describe.each(patterns)('the pattern $name', ({ example }) => {
  const pattern = patternOf(example);

  it('is written as it is read', () => expect(pattern.text).toBe(example));

  it('marks the very share, whoever competes', () => {
    const property = fc.property(
      planes(pattern.rows, pattern.columns),
      share,
      compete,
      seed,
      (all, asked, who, from) => {
        const cut = { share: pattern.fixed ?? asked, compete: who };
        const gone = pattern.mark(scoredOf(all, from), cut);
        const unit = pattern.fixed === undefined ? pattern.rows * pattern.columns : 1;
        const units = all.reduce((sum, { rows, width }) => sum + rows * width, 0) / unit;
        expect(count(gone.flatMap((marks) => [...marks]))).toBe(unit * Math.ceil(cut.share * units));
      },
    );
    fc.assert(property, { numRuns: 60, seed: 1 });
  });
});

describe('free zeros', () => {
  const size = 40_000;
  const wide: Plane = { rows: 200, width: 200, turned: true };

  it.each(['row', 'matrix', 'model'] as const)('are what scores least of a %s', (who) => {
    const all = scoredOf([wide, { ...wide, turned: false }], 3);
    const gone = patternOf('free').mark(all, { share: 0.3, compete: who });
    const groupOf = (matrix: number, place: number): string => {
      const row = all[matrix]?.plane.turned ? place % 200 : Math.floor(place / 200);
      return who === 'model' ? 'all' : who === 'matrix' ? `${matrix}` : `${matrix}.${row}`;
    };
    const limits = new Map<string, { most: number; least: number }>();
    for (let matrix = 0; matrix < 2; matrix++) {
      for (let place = 0; place < size; place++) {
        const [score = 0, mark] = [all[matrix]?.scores[place], gone[matrix]?.[place]];
        const limit = limits.get(groupOf(matrix, place)) ?? { most: 0, least: Number.POSITIVE_INFINITY };
        if (mark === 1) limit.most = Math.max(limit.most, score);
        else limit.least = Math.min(limit.least, score);
        limits.set(groupOf(matrix, place), limit);
      }
    }
    expect(limits.size).toBe({ row: 400, matrix: 2, model: 1 }[who]);
    for (const { most, least } of limits.values()) expect(most).toBeLessThanOrEqual(least);
  });
});

describe('N:M', () => {
  const sizes = fc
    .integer({ min: 2, max: 8 })
    .chain((most) => fc.tuple(fc.integer({ min: 1, max: most - 1 }), fc.constant(most)));
  const marksOf = (stay: number, most: number, turned: boolean, from: number, way: number): readonly number[] => {
    const plane = { rows: 3, width: 4 * most, turned };
    const pattern = patternOf(`${stay}:${most}`);
    const cut = { share: way * (pattern.fixed ?? Number.NaN), compete: 'matrix' } as const;
    const [gone = new Uint8Array()] = pattern.mark(scoredOf([plane], from), cut);
    return Array.from({ length: 12 }, (_, group) => {
      const [row, first] = [group % 3, Math.floor(group / 3) * most];
      return count(Array.from({ length: most }, (_unused, i) => gone[placeIn(plane, row, first + i)] ?? 0));
    });
  };

  it('leaves N of every M inputs of an output', () => {
    const property = fc.property(sizes, fc.boolean(), seed, ([stay, most], turned, from) => {
      expect(marksOf(stay, most, turned, from, 1)).toEqual(Array.from({ length: 12 }, () => most - stay));
    });
    fc.assert(property, { numRuns: 50, seed: 1 });
  });

  it('has some of the same zeros on the way there', () => {
    const property = fc.property(sizes, fc.boolean(), seed, share, ([stay, most], turned, from, way) => {
      const groups = marksOf(stay, most, turned, from, way);
      expect(Math.max(...groups)).toBeLessThanOrEqual(most - stay);
      expect(count(groups)).toBe(Math.ceil(way * ((most - stay) / most) * 12 * most));
    });
    fc.assert(property, { numRuns: 50, seed: 1 });
  });
});

describe('blocks', () => {
  it.each([true, false])('go as a whole, kept the other way round: %s', (turned) => {
    const plane = { rows: 8, width: 6, turned };
    const [gone = new Uint8Array()] = patternOf('4x3').mark(scoredOf([plane], 1), { share: 0.5, compete: 'matrix' });
    for (const [row, column] of [
      [0, 0],
      [4, 0],
      [0, 3],
      [4, 3],
    ] as const) {
      const marks = Array.from(
        { length: 12 },
        (_, i) => gone[placeIn(plane, row + (i % 4), column + Math.floor(i / 4))],
      );
      expect(new Set(marks).size).toBe(1);
    }
    expect(count(gone)).toBe(24);
  });
});

describe('a pattern is refused', () => {
  it.each([
    ['4:2', "'4:2' keeps 4 of every 2: N:M keeps 1 at least and fewer than M, as 2:4 or 4:8"],
    ['0:4', "'0:4' keeps 0 of every 4: N:M keeps 1 at least and fewer than M, as 2:4 or 4:8"],
    ['1x1', "'1x1' is no block: rows x columns are 2 numbers at least, as 4x1 or 1x4"],
    ['0x4', "'0x4' is no block: rows x columns are 2 numbers at least, as 4x1 or 1x4"],
    [
      'half',
      "expected a pattern: 'free' (zeros wherever they harm least), '2:4' (N of every M inputs of each output stay, which fixes the share), '4x1' (blocks of R outputs x C inputs go as a whole); found 'half'",
    ],
  ])('as %s', (text, problem) => expect(parsePattern(text)).toEqual({ problem }));
});

const looked = (saliency: OfGradients, weight: Weight, looks: number): Float32Array => {
  const state: State = saliency.start(weight);
  const look = (i: number): Look => ({
    weight: weight.data,
    gradient: drawn(weight.data.length, 'gradient', i),
    plane: weight.plane,
  });
  for (let i = 0; i < looks; i++) saliency.after(state, look(i));
  return saliency.score(state, weight);
};

const scores = async (saliency: Saliency, weight: Weight): Promise<Float32Array | undefined> => {
  switch (saliency.reads) {
    case 'weights':
      return await saliency.score(weight, 1);
    case 'inputs':
      return saliency.score(
        weight,
        Float64Array.from({ length: weight.plane.width }, (_, i) => 1 + i),
      );
    case 'gradients':
      return looked(saliency, weight, 3);
    case 'correlations':
      return undefined;
  }
};

describe('a weight lies', () => {
  const { graph } = smallEncoder();
  const [product] = sitesOf(graph).filter(({ use }) => use.kind === 'linear');
  const [table] = sitesOf(graph).filter(({ use }) => use.kind === 'lookup');

  it('with a row for each output of a product, for each thing of a table, and as one row where it is a vector', () => {
    const [inputs, outputs] = graph.weights.get(product?.weight ?? value(''))?.dims ?? [];
    expect(product?.use).toMatchObject({ inner: 0, outer: 1 });
    expect(planeOf(graph, product?.weight ?? value(''))).toEqual({ rows: outputs, width: inputs, turned: true });
    const [things, width] = graph.weights.get(table?.weight ?? value(''))?.dims ?? [];
    expect(planeOf(graph, table?.weight ?? value(''))).toEqual({ rows: things, width, turned: false });
    expect(planeOf(graph, product?.bias ?? value(''))).toEqual({ rows: 1, width: outputs, turned: false });
  });
});

describe.each(saliencies)('the saliency $name', (saliency) => {
  const weight: Weight = { name: 'w', data: drawn(24, 'weight'), plane: { rows: 4, width: 6, turned: true } };

  it('gives a score that is not negative for each number, the same again, and leaves the weight as it is', async () => {
    const before = weight.data.slice();
    const [first, second] = [await scores(saliency, weight), await scores(saliency, weight)];
    if (first === undefined) return;
    expect(first).toEqual(second);
    expect(first).toHaveLength(24);
    // What only training teaches may be below 0: whoever trains raises all of it.
    expect(first.every((score) => (score >= 0 || isTaught(saliency)) && Number.isFinite(score))).toBe(true);
    expect(new Set(first).size).toBeGreaterThan(1);
    expect(weight.data).toEqual(before);
    expect(saliencyOf(saliency.name)).toBe(saliency);
  });
});
