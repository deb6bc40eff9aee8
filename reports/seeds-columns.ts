import type { Spread } from '../data/statistics/spread.ts';
import type { Column } from './columns.ts';
import { plusMinus, speedup } from './figures.ts';
import { metricOf } from './metric.ts';
import type { Report, SeedsStage, StageReport } from './report.ts';

const over = ({ id }: StageReport, { seeds }: Report): SeedsStage | undefined =>
  seeds?.stages.find((stage) => stage.id === id);

type Figure = (stage: SeedsStage) => Spread | null | undefined;

const meanCell =
  (figure: Figure, write: (x: number) => string): Column['cell'] =>
  (stage, report) => {
    const found = over(stage, report);
    const spread = found === undefined ? null : figure(found);
    return spread == null ? '' : plusMinus(spread, write);
  };

const worstCell =
  (figure: Figure, write: (x: number) => string): Column['cell'] =>
  (stage, report) => {
    const found = over(stage, report);
    const spread = found === undefined ? null : figure(found);
    return spread == null ? '' : `${write(spread.worst)} (${spread.worstSeed})`;
  };

/** Differences of the reference from itself are no figures. */
const difference =
  (cell: Column['cell']): Column['cell'] =>
  (stage, report) =>
    stage.id === report.reference ? '' : cell(stage, report);

const score: Figure = (stage) => stage.score;
const versusReference: Figure = (stage) => stage.difference;

/** What several seeds say of each stage: a second table below the first seed's own. */
export const seedsBlock = (report: Report): readonly Column[] => {
  const { title, write, unit, changes, writeChange } = metricOf(report);
  return [
    { title, cell: meanCell(score, write) },
    { title: `worst${unit}`, cell: worstCell(score, write) },
    { title: changes, cell: difference(meanCell(versusReference, writeChange)) },
    { title: `worst ${changes}`, cell: difference(worstCell(versusReference, writeChange)) },
    { title: 'speed-up', cell: difference(meanCell((stage) => stage.latency[0]?.speedup, speedup)) },
  ];
};

/** The report without what the second table has nothing to say of: baselines draw nothing, and stages that have no figure. */
export const tellingSeeds = (report: Report): Report => ({
  ...report,
  data: { ...report.data, baselines: null },
  stages: report.stages.filter((stage) => seedsBlock(report).some(({ cell }) => cell(stage, report) !== '')),
});

const list = ({ seeds }: Report): string => seeds?.list.join(', ') ?? '';

/** What the second table shows; undefined where there is one seed only. */
export const seedsCaption = (report: Report): string | undefined =>
  report.seeds === undefined
    ? undefined
    : `Seeds ${list(report)}: mean ± standard deviation, worst (its seed). All else is of seed ${report.seed}.`;
