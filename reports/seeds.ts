import { type Spread, spread } from '../data/statistics/spread.ts';
import { worseEnd } from '../ground/metrics/metric.ts';
import { type DataTask, dataTask } from '../ground/tasks.ts';
import type { GateReport } from './gates/gate.ts';
import { byUrgency } from './gates/words.ts';
import type { LatencyReport, Report, SeedsReport, SeedsStage, StageReport } from './report.ts';
import { undisturbed } from './speed.ts';

/** One stage as each seed's run has it; undefined where a run ended before it. */
type Runs = readonly (StageReport | undefined)[];

const latencyOf = (list: readonly number[], runs: Runs): SeedsStage['latency'] => {
  const cells = runs.find((run) => run !== undefined && run.latency.length > 0)?.latency ?? [];
  return cells.map(({ batch, length }) => {
    const over = (figure: (cell: LatencyReport) => number | null, worse: 'lower' | 'higher'): Spread | null => {
      const same = runs.map((run) => run?.latency.find((cell) => cell.batch === batch && cell.length === length));
      return spread(
        list,
        same.map((cell) => undisturbed(cell, figure)),
        worse,
      );
    };
    return {
      batch,
      length,
      p50Ms: over(({ p50Ms }) => p50Ms, 'higher'),
      speedup: over((cell) => cell.speedup, 'lower'),
    };
  });
};

const stageOver = (
  id: string,
  list: readonly number[],
  reports: readonly Report[],
  { metric, more }: DataTask,
): SeedsStage => {
  const runs = reports.map(({ stages }) => stages.find((stage) => stage.id === id));
  const over = (figure: (stage: StageReport) => number | undefined, worse: 'lower' | 'higher'): Spread | null =>
    spread(
      list,
      runs.map((run) => (run === undefined ? null : figure(run))),
      worse,
    );
  return {
    id,
    score: over(({ quality }) => quality?.score, worseEnd(metric)),
    more: Object.fromEntries(
      more.map((one) => [one.name, over(({ quality }) => quality?.more[one.name]?.value, worseEnd(one))]),
    ),
    difference: over(({ difference }) => difference?.score, worseEnd(metric)),
    agreement: {
      top1: over(({ agreement }) => agreement?.top1, 'lower'),
      kl: over(({ agreement }) => agreement?.kl, 'higher'),
    },
    bytes: over(({ model }) => model?.bytes, 'higher'),
    gzipBytes: over(({ model }) => model?.gzipBytes, 'higher'),
    latency: latencyOf(list, runs),
  };
};

const seedsReport = (reports: readonly Report[], task: DataTask): SeedsReport => {
  const list = reports.map(({ seed }) => seed);
  const ids = [...new Set(reports.flatMap(({ stages }) => stages.map(({ id }) => id)))];
  return {
    list,
    seconds: reports.map(({ seconds }) => seconds),
    stages: ids.map((id) => stageOver(id, list, reports, task)),
  };
};

/** A gate is kept where every seed keeps it: each as the seed judged it that did worst. */
const worstGates = (reports: readonly Report[]): readonly GateReport[] =>
  (reports[0]?.gates ?? []).map((gate, at) => {
    const judged = reports.flatMap(({ seed, gates }) => {
      const one = gates[at];
      return one === undefined ? [] : [{ ...one, reason: [`seed ${seed}`, one.reason].filter(Boolean).join(': ') }];
    });
    return byUrgency(judged)[0] ?? gate;
  });

/** The seed whose run failed ends all: it is told of the whole. */
const failedSeed = (reports: readonly Report[]): Pick<Report, 'unfinished'> => {
  const { seed, unfinished } = reports.find((report) => report.unfinished?.step != null) ?? {};
  return unfinished === undefined ? {} : { unfinished: { ...unfinished, step: `${unfinished.step} of seed ${seed}` } };
};

/** The report of the first seed, with what the reports of all seeds say together. */
export const withSeeds = (reports: readonly Report[]): Report => {
  const [first] = reports;
  if (first === undefined) throw new Error('there is no report of any seed');
  return {
    ...first,
    ...failedSeed(reports),
    gates: worstGates(reports),
    seeds: seedsReport(reports, dataTask(first.data.task)),
  };
};
