import { describe, expect, it } from 'vitest';
import type { Measurements, Times } from '../../data/measurements.ts';
import { type Stream, stream } from '../../data/random.ts';
import { clusterQuantile, clusterRatio } from '../../data/statistics/clusters.ts';
import { latencyReport, loadingReport, measurementReport } from '../../reports/latency.ts';

/** What an outside oracle prints has more digits than this. */
const ORACLE_DIGITS = 9;

/** Four processes of unequal length. */
const ratiosByProcess = [
  [2.1, 2.3, 1.9],
  [2.6, 2.4, 2.8],
  [2.0, 2.2],
  [2.5, 2.35, 2.45, 2.2],
];

describe('the interval of a ratio', () => {
  it('is that of the mean of the processes, on logarithms', () => {
    // scipy 1.17: ttest_1samp(log(medians), 0).confidence_interval(), exponentiated
    const { estimate, low, high } = clusterRatio(ratiosByProcess) ?? { estimate: 0, low: 0, high: 0 };
    expect(estimate).toBeCloseTo(2.2903707819160317, ORACLE_DIGITS);
    expect(low).toBeCloseTo(1.936742854831314, ORACLE_DIGITS);
    expect(high).toBeCloseTo(2.708567276016388, ORACLE_DIGITS);
  });

  it('turned around is the interval of the ratio turned around', () => {
    const there = clusterRatio([[2], [3], [2.5]]);
    const back = clusterRatio([[1 / 2], [1 / 3], [1 / 2.5]]);
    expect(1 / (back?.low ?? 0)).toBeCloseTo(there?.high ?? 0, ORACLE_DIGITS);
  });

  it('leaves out what is no ratio, and is none where one process is left', () => {
    expect(clusterRatio([[2, Number.POSITIVE_INFINITY], [3, Number.NaN], [0]])?.estimate).toBeCloseTo(Math.sqrt(6), 9);
    expect(clusterRatio([[2, 2, 2], [0], [Number.NaN]])).toBeNull();
    expect(clusterRatio([])).toBeNull();
  });
});

describe('the interval of a quantile', () => {
  const byProcess = [
    [1.0, 1.2, 1.1, 3.0],
    [1.4, 1.5, 1.3, 1.6],
    [0.9, 1.05, 1.15, 1.25],
    [2.0, 1.7, 1.8, 1.9],
    [1.35, 1.45, 1.22, 1.33],
  ];

  // statsmodels 0.15: OLS(indicator, 1) with standard errors clustered by process, at least sqrt(q (1 - q) / n); scipy's
  // t(4); numpy's quantile at q plus and minus
  it.each([
    [0.5, 0.9174594982981606, 2.8254050170183937],
    [0.9, 1.5561257605119274, 3.0],
  ])('at %d comes from the standard error between processes', (q, low, high) => {
    expect(clusterQuantile(byProcess, q).low).toBeCloseTo(low, ORACLE_DIGITS);
    expect(clusterQuantile(byProcess, q).high).toBeCloseTo(high, ORACLE_DIGITS);
  });

  it('of one process is all it saw', () => {
    expect(clusterQuantile([[3, 1, 2]], 0.5)).toEqual({ low: 1, high: 3 });
  });
});

const SAMPLES = 2000;

/** Share of simulated samples whose interval holds the truth. */
const coverage = (holds: () => boolean): number =>
  Array.from({ length: SAMPLES }, holds).filter((held) => held).length / SAMPLES;

const PROCESSES = 8;
const ROUNDS = 3;
/** Standard deviations of the logarithm: of a process, and of a round within it. */
const NOISE = { process: 0.05, round: 0.06, run: 0.1 };

const processesOf = <T>(make: () => T): readonly T[] => Array.from({ length: PROCESSES }, make);

/** p50s of the rounds of one process, at the machine's speed of each round. */
const roundsAt = (ms: number, speeds: readonly number[], random: Stream): readonly number[] => {
  const process = NOISE.process * random.normal();
  return speeds.map((speed) => ms * speed * Math.exp(process + NOISE.round * random.normal()));
};

describe('simulated coverage at nominal 95 %, processes and rounds each with noise of their own', () => {
  /** Ratios of 8 ms over 2 ms on a machine that swings by a third, by process. */
  const simulated = (random: Stream): readonly (readonly number[])[] =>
    processesOf(() => {
      const speeds = Array.from({ length: ROUNDS }, () => 1 + random.uniform() / 3);
      const [slow, fast] = [roundsAt(8, speeds, random), roundsAt(2, speeds, random)];
      return slow.map((ms, r) => ms / (fast[r] ?? 1));
    });
  const holds = (interval: { readonly low: number; readonly high: number } | null, truth: number): boolean =>
    interval !== null && interval.low <= truth && truth <= interval.high;

  it('is 93 to 97 % for the ratio of p50s', () => {
    const random = stream(4, 'ratio');
    const share = coverage(() => holds(clusterRatio(simulated(random)), 4));
    expect(share).toBeGreaterThan(0.93);
    expect(share).toBeLessThan(0.97);
  });

  it('is missed by an interval that takes rounds for a sample of their own', () => {
    const random = stream(4, 'ratio');
    const share = coverage(() =>
      holds(
        clusterRatio(
          simulated(random)
            .flat()
            .map((ratio) => [ratio]),
        ),
        4,
      ),
    );
    expect(share).toBeLessThan(0.93);
  });

  // The q-quantile of a normal distribution, whose standard deviation is that of all three kinds of noise together.
  it.each([
    [0.5, 0],
    [0.9, 1.2815515655446004],
  ])('for the %d quantile of all runs, too', (q, z) => {
    const random = stream(5, 'quantile', q);
    const truth = Math.exp(z * Math.hypot(NOISE.process, NOISE.round, NOISE.run));
    const share = coverage(() => {
      const clusters = processesOf(() =>
        roundsAt(1, new Array(ROUNDS).fill(1), random).flatMap((ms) =>
          Array.from({ length: 8 }, () => ms * Math.exp(NOISE.run * random.normal())),
        ),
      );
      return holds(clusterQuantile(clusters, q), truth);
    });
    expect(share).toBeGreaterThan(0.93);
    expect(share).toBeLessThan(0.97);
  });
});

/** Two cells, two processes of two rounds, two runs each; what of each turn other work took, by round. */
const times = (factor: number, rounds: readonly number[] = [1, 1.1, 1, 1.1], waited: readonly number[] = []): Times =>
  [1, 10].map((cell) =>
    rounds.map((ms, round) => ({ ms: [ms * cell * factor, ms * cell * factor], waited: waited[round] ?? 0.01 })),
  );
const warmUp = { teacher: [{ runs: 6, settled: true }], student: [{ runs: 60, settled: false }] };

const measurements = (models: Measurements['models'], kernel: Times = times(0.5)): Measurements => ({
  schema: 'decant.measurements/3',
  threads: 1,
  load: { average: [0.5, 1.5], stolen: 0.02 },
  cells: [
    { batch: 1, length: 15 },
    { batch: 32, length: 15 },
  ],
  processes: [
    { rounds: 2, switches: 5, warmUp },
    { rounds: 2, switches: 7, warmUp },
  ],
  kernel: { name: 'matmul-12x256x128', times: kernel },
  models,
  loading: {
    student: {
      ...{ sessionMs: [30, 10, 20], firstRunMs: [3, 1, 2], peakBytes: [70e6, 90e6, 80e6] },
      waited: [0.01, 0.5, 0.02],
    },
  },
  runtime: { peakBytes: [50e6, 40e6, 60e6] },
});

describe('latency in the report', () => {
  const both = measurements({ teacher: times(8), student: times(2) });

  it('divides by the reference and by the kernel of the same round', () => {
    const [one, many] = latencyReport(both, 'student', 'teacher');
    expect(one?.speedup).toBeCloseTo(4, 9);
    expect(one?.relative?.estimate).toBeCloseTo(4, 9);
    expect(many?.relative?.high).toBeCloseTo(4, 9);
    expect(one?.p50Ms).toBeCloseTo(2.1, 9);
    expect(many?.textsPerSecond).toBeCloseTo(32_000 / 21, 6);
  });

  it('has no ratio where a time is 0, and never one that is no number', () => {
    const still = measurements({ teacher: times(8), student: times(0) }, times(0));
    for (const cell of latencyReport(still, 'student', 'teacher')) {
      expect(cell).toMatchObject({ p50Ms: 0, speedup: null, speedupInterval: null, relative: null });
    }
    expect(measurementReport(still).drift).toBeNull();
  });

  it('has nothing of a model that was not measured', () => {
    expect(latencyReport(both, 'other', 'teacher')).toEqual([]);
    expect(loadingReport(both, 'other')).toBeNull();
    expect(latencyReport(both, 'student', null)[0]?.speedup).toBeNull();
  });

  it('gives medians over the processes that loaded a model', () => {
    expect(loadingReport(both, 'student')).toEqual({
      ...{ sessionMs: 20, firstRunMs: 2, peakBytes: 80e6, processes: 3 },
      busy: false,
    });
    expect(measurementReport(both)).toMatchObject({ rounds: 4, processes: 2, runtimePeakBytes: 50e6 });
  });

  it('has no figures of loading where none was measured', () => {
    const none = { sessionMs: [], firstRunMs: [], peakBytes: [], waited: [] };
    const skipped = { ...both, loading: { student: none }, runtime: { peakBytes: [] } };
    expect(loadingReport(skipped, 'student')).toBeNull();
    expect(measurementReport(skipped).runtimePeakBytes).toBeNull();
  });

  it('tells how long models warmed up', () => {
    expect(measurementReport(both).warmUp).toEqual({ medianRuns: 33, mostRuns: 60, unsettledShare: 0.5 });
  });

  it('flags a machine whose kernel became slower, whatever the models did', () => {
    expect(measurementReport(both).drift).toMatchObject({ flagged: false });
    const slower = measurements(both.models, times(0.5, [1, 1.2, 1.4, 1.4]));
    expect(measurementReport(slower).drift).toEqual({ ratio: expect.closeTo(1.4, 9), flagged: true });
  });
});

/** Turns of four rounds of which so many were disturbed, and took so many times as long. */
const disturbed = (factor: number, taken: readonly number[], longer = 3): Times =>
  times(
    factor,
    [1, 1.1, 1, 1.1].map((ms, round) => ms * ((taken[round] ?? 0) > 0.05 ? longer : 1)),
    taken,
  );

describe('latency on a busy machine', () => {
  it('counts undisturbed turns alone, and pairs of them', () => {
    const teacher = disturbed(8, [0.01, 0.4, 0.01, 0.01]);
    const some = measurements({ teacher, student: disturbed(2, [0.01, 0.01, 0.01, 0.7]) });
    const [one] = latencyReport(some, 'student', 'teacher');
    expect(one).toMatchObject({ busy: false, runs: 6 });
    expect(one?.speedup).toBeCloseTo(4, 9);
    expect(one?.p99Ms).toBeLessThan(2.21);
  });

  it('tells no speed-up where more than half of the turns of either were disturbed', () => {
    const busy = disturbed(8, [0.4, 0.5, 0.6, 0.01]);
    const ofReference = measurements({ teacher: busy, student: times(2) });
    expect(latencyReport(ofReference, 'student', 'teacher')[0]).toMatchObject({ busy: true, speedup: null });
    const ofModel = measurements({ teacher: times(8), student: busy });
    expect(latencyReport(ofModel, 'student', 'teacher')[0]).toMatchObject({
      ...{ busy: true, speedup: null, speedupInterval: null, relative: null },
      runs: 8,
    });
    expect(latencyReport(ofModel, 'teacher', 'teacher')[0]).toMatchObject({ busy: false });
  });

  it('tells no speed-up where rounds are far apart though nobody had the processor: others had the memory', () => {
    const eight = (factor: number, rounds: readonly number[]): Measurements => {
      const teacher = times(factor, rounds);
      const processes = [
        { rounds: 4, switches: 5, warmUp },
        { rounds: 4, switches: 7, warmUp },
      ];
      return {
        ...measurements({ teacher, student: times(2, Array(8).fill(1)) }, times(1, Array(8).fill(1))),
        processes,
      };
    };
    const steady = eight(8, [1, 1.3, 1.1, 1.4, 1, 1.2, 1.5, 1.1]);
    expect(latencyReport(steady, 'student', 'teacher')[0]).toMatchObject({ busy: false, speedup: expect.any(Number) });
    const torn = eight(8, [5, 12, 8, 48, 9, 24, 7, 33]);
    expect(latencyReport(torn, 'student', 'teacher')[0]).toMatchObject({ busy: true, speedup: null });
    expect(latencyReport(torn, 'teacher', 'teacher')[0]).toMatchObject({ busy: true, relative: null });
    expect(measurementReport(torn).load).toMatchObject({ busy: false });
  });

  it('says what other work took, how often it interrupted and what the host gave away', () => {
    const all = measurements({ teacher: disturbed(8, [0.5, 0.5, 0.5, 0]) });
    expect(measurementReport(all).load).toMatchObject({
      ...{ busy: true, average: [0.5, 1.5], stolen: 0.02, switches: 12 },
      disturbed: 6 / 16,
    });
    expect(measurementReport(measurements({ teacher: times(8) })).load).toMatchObject({ busy: false, disturbed: 0 });
  });

  it('marks what loading cost where most processes had to wait', () => {
    const one = measurements({ student: times(2) });
    const waited = { student: { sessionMs: [30], firstRunMs: [3], peakBytes: [7e7], waited: [0.6] } };
    expect(loadingReport({ ...one, loading: waited }, 'student')?.busy).toBe(true);
  });
});
