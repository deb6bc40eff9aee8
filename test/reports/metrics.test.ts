import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Stream, stream } from '../../data/random.ts';
import { intervalOf } from '../../data/statistics/effects.ts';
import { judgedFigure, metricEffect } from '../../data/statistics/metrics.ts';
import {
  accuracy,
  loss,
  type Metric,
  macroF1,
  meanSquaredError,
  metrics,
  natsPerToken,
  pairSpearman,
  pearson,
  perplexity,
  setMacroF1,
  setMicroF1,
  spearman,
  subsetAccuracy,
} from '../../ground/metrics/index.ts';
import { figureOf, isBetter, type Judged } from '../../ground/metrics/metric.ts';
import { datasetTasks, dataTask, metricsOf } from '../../ground/tasks.ts';
import { root } from '../rig/build.ts';

type Golden = Readonly<Record<string, number | readonly number[]>>;
const golden: Readonly<Record<string, readonly Golden[]>> = JSON.parse(
  readFileSync(`${root}test/golden/metrics.json`, 'utf8'),
);

const judgedOf = (one: Golden): Judged => ({
  count: Number(one.count),
  columns: Object.fromEntries(
    Object.entries(one).flatMap(([name, values]) => (typeof values === 'number' ? [] : [[name, values]])),
  ),
});

describe('metrics are what scikit-learn and SciPy compute', () => {
  const cases: readonly (readonly [string, readonly Metric[]])[] = [
    ['sets', [setMicroF1, setMacroF1, subsetAccuracy]],
    ['numbers', [spearman, pearson, meanSquaredError]],
    ['choices', [accuracy, macroF1, loss, perplexity]],
  ];
  it.each(cases)('of %s', (kind, computed) => {
    const all = golden[kind] ?? [];
    expect(all.length).toBeGreaterThan(1);
    for (const one of all)
      for (const metric of computed) expect(figureOf(metric, judgedOf(one))).toBeCloseTo(Number(one[metric.name]), 9);
  });

  it('and nats per token are the loss', () => {
    const [one = {}] = golden.choices ?? [];
    expect(figureOf(natsPerToken, judgedOf(one))).toBeCloseTo(Number(one.loss), 9);
  });
});

describe('correlations', () => {
  it('of what says the same about everything are no numbers, whatever the number is', () => {
    const truth = Float64Array.from({ length: 37 }, (_, i) => (i * 7) % 11);
    for (const value of [0, 0.1, 1 / 3, 150.5, -2e7]) {
      const said = new Float64Array(37).fill(value);
      for (const metric of [spearman, pearson]) {
        expect(figureOf(metric, { count: 37, columns: { said, truth } })).toBeNaN();
        expect(figureOf(metric, { count: 37, columns: { said: truth, truth: said } })).toBeNaN();
      }
    }
  });

  it('are worse than any number where they are none', () => {
    expect([isBetter(spearman, -1, Number.NaN), isBetter(spearman, Number.NaN, -1)]).toEqual([true, false]);
    expect([isBetter(meanSquaredError, 9, Number.NaN), isBetter(meanSquaredError, Number.NaN, 9)]).toEqual([
      ...[true, false],
    ]);
    expect(isBetter(spearman, Number.NaN, Number.NaN)).toBe(false);
  });
});

describe('the tables of metrics and tasks', () => {
  it('list every metric of every task', () => {
    for (const task of datasetTasks) expect(metrics).toEqual(expect.arrayContaining([...metricsOf(dataTask(task))]));
  });

  it('name a metric once in a task, and write all of one name in one scale', () => {
    for (const task of datasetTasks) {
      const names = metricsOf(dataTask(task)).map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
    }
    const scales = new Map(metrics.map(({ name, scale }) => [name, scale.gate.kind]));
    for (const { name, scale } of metrics) expect([name, scale.gate.kind]).toEqual([name, scales.get(name)]);
  });

  it('say of two figures which is better', () => {
    expect([isBetter(accuracy, 0.8, 0.7), isBetter(accuracy, 0.7, 0.8), isBetter(accuracy, 0.7, 0.7)]).toEqual([
      ...[true, false, false],
    ]);
    expect([isBetter(natsPerToken, 2, 3), isBetter(meanSquaredError, 3, 2)]).toEqual([true, false]);
  });
});

/** Rows of a column again, each as often as it counts. */
const repeated = (values: ArrayLike<number>, times: readonly number[]): number[] => {
  const width = values.length / times.length;
  return times.flatMap((n, i) =>
    Array(n)
      .fill(Array.from(values).slice(i * width, (i + 1) * width))
      .flat(),
  );
};

/** A statistic, and how many numbers of each answer it reads. */
const statistics = [
  ...[[macroF1, 1] as const, [perplexity, 1] as const],
  ...[[setMicroF1, 2] as const, [setMacroF1, 2] as const],
  ...[[spearman, 1] as const, [pearson, 1] as const, [pairSpearman, 1] as const],
] as const;

describe('a statistic', () => {
  it.each(statistics)('counts answers as often as they were drawn: $name', ({ measure }, width) => {
    if (measure.kind !== 'statistic') throw new Error('this is a mean');
    const bit = fc.integer({ min: 0, max: 1 });
    const bits = fc.array(bit, { minLength: width, maxLength: width });
    const answer = fc.record({ times: fc.integer({ min: 0, max: 3 }), said: bits, truth: bits });
    fc.assert(
      fc.property(fc.array(answer, { minLength: 1, maxLength: 12 }), (answers) => {
        const times = answers.map((one) => one.times);
        const [said, truth] = [answers.flatMap((one) => one.said), answers.flatMap((one) => one.truth)];
        const columns = { said, truth, nats: said, chosen: said, label: truth };
        const again = Object.fromEntries(Object.entries(columns).map(([name, all]) => [name, repeated(all, times)]));
        const weighted = measure.of({ count: answers.length, columns }, times);
        const plain = measure.of({ count: repeated(times, times).length, columns: again });
        // A constant column has no correlation: rounding may make one of a weighted one.
        if (Number.isFinite(plain)) expect(weighted).toBeCloseTo(plain, 9);
      }),
    );
  });
});

type Draw = (texts: number, random: Stream) => readonly [model: Judged, other: Judged];

/** Two models that agree in much, on texts of which some are hard. */
const sets: Draw = (texts, random) => {
  const bits = Array.from({ length: texts }, () => {
    const hard = random.uniform() < 0.7 ? 0.05 : 0.3;
    return Array.from({ length: 5 }, () => {
      const [truth, luck] = [Number(random.uniform() < 0.3), random.uniform()];
      const theirs = random.uniform() < 0.7 ? luck : random.uniform();
      const said = (wrong: boolean): number => (wrong ? 1 - truth : truth);
      return { truth, mine: said(luck < hard), theirs: said(theirs < 1.3 * hard) };
    });
  }).flat();
  const truth = bits.map((bit) => bit.truth);
  const judged = (said: readonly number[]): Judged => ({ count: texts, columns: { said, truth } });
  return [judged(bits.map(({ mine }) => mine)), judged(bits.map(({ theirs }) => theirs))];
};

/** Ratings in quarters, and two models with errors in common. */
const ratings: Draw = (texts, random) => {
  const rows = Array.from({ length: texts }, () => {
    const [truth, error] = [Math.round(4 * random.normal()) / 4, random.normal()];
    return { truth, mine: truth + 0.6 * error, theirs: truth + 0.5 * error + 0.5 * random.normal() };
  });
  const truth = rows.map((row) => row.truth);
  const judged = (said: readonly number[]): Judged => ({ count: texts, columns: { said, truth } });
  return [judged(rows.map(({ mine }) => mine)), judged(rows.map(({ theirs }) => theirs))];
};

/** One to eight tokens a text, as hard as their text. */
const tokens: Draw = (texts, random) => {
  const rows = Array.from({ length: texts }, (_, text) => {
    const hard = 1 + 0.5 * random.normal();
    return Array.from({ length: 1 + random.integer(8) }, () => {
      const nats = Math.abs(hard + random.normal());
      return { text, nats, theirs: nats + 0.1 + 0.2 * random.normal() };
    });
  }).flat();
  const groups = Int32Array.from(rows, ({ text }) => text);
  const judged = (nats: readonly number[]): Judged => ({ count: rows.length, columns: { nats }, groups });
  return [judged(rows.map(({ nats }) => nats)), judged(rows.map(({ theirs }) => theirs))];
};

describe('95 % intervals', () => {
  const [TEXTS, ALL] = [80, 60_000];
  const cases: readonly (readonly [name: string, metric: Metric, draw: Draw, runs: number])[] = [
    ['micro F1', setMicroF1, sets, 200],
    ['macro F1', setMacroF1, sets, 200],
    ['subset accuracy', subsetAccuracy, sets, 1000],
    ['Spearman', spearman, ratings, 200],
    ['Pearson', pearson, ratings, 200],
    ['squared error', meanSquaredError, ratings, 1000],
    ['nats', natsPerToken, tokens, 1000],
    ['perplexity', perplexity, tokens, 200],
  ];
  it.each(cases)(
    'hold the true figure, and the true difference, in 93 to 97 of 100 samples: %s',
    (_, metric, draw, runs) => {
      const [all, allOthers] = draw(ALL, stream(1, 'truth'));
      const figure = figureOf(metric, all);
      const difference = figure - figureOf(metric, allOthers);
      let [held, heldBetween] = [0, 0];
      for (let run = 0; run < runs; run++) {
        const [model, other] = draw(TEXTS, stream(2, 'sample', run));
        const { interval } = judgedFigure(metric, model);
        const between = intervalOf(metricEffect(metric, model, other), 0.05);
        held += Number(interval.low <= figure && figure <= interval.high);
        heldBetween += Number(between.low <= difference && difference <= between.high);
      }
      for (const hits of [held, heldBetween]) {
        expect(hits / runs).toBeGreaterThanOrEqual(0.93);
        expect(hits / runs).toBeLessThanOrEqual(0.97);
      }
    },
  );

  it('of nothing, or of one text, know nothing', () => {
    const none: Judged = { count: 0, columns: { said: [], truth: [], nats: [], right: [] } };
    for (const metric of [spearman, setMicroF1, perplexity, accuracy, meanSquaredError]) {
      const { low, high } = judgedFigure(metric, none).interval;
      const [least, most] = metric === accuracy ? [0, 1] : [-metric.scale.most, metric.scale.most];
      expect([metric.name, low, high]).toEqual([metric.name, least, most]);
    }
    const one: Judged = { count: 2, columns: { nats: [1, 2] }, groups: Int32Array.of(4, 4) };
    expect(judgedFigure(perplexity, one).interval).toEqual({ low: -Infinity, high: Infinity });
  });
});
