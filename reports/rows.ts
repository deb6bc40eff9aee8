import type { Column } from './columns.ts';
import type { BaselineReport, Report, StageReport } from './report.ts';

/** A line of the table of stages: a stage of the file, or what its models have to beat. */
export interface Row {
  readonly stage: StageReport;
  readonly kind: 'stage' | 'control' | 'baseline';
  /** What a baseline has that no stage has: its size and its time are not a model's. */
  readonly baseline?: BaselineReport;
  /** What it is called where there is little room. */
  readonly short: string;
}

/** What stands where a baseline has no figure, so that nobody looks for one. */
export const ABSENT = '—';

/**
 * Whether a stage is there to compare with: the shape of another, trained from random weights without a teacher. It is
 * nothing that one would ship.
 */
export const isControl = ({ stages }: Pick<Report, 'stages'>, { id, uses, config }: StageReport): boolean =>
  uses === 'train' &&
  typeof config.like === 'string' &&
  !stages.some(({ inputs, model }) => model !== null && Object.values(inputs).includes(id));

/** A baseline in the form of a stage that has been judged and nothing else. */
const asStage = (
  { called, score, scoreInterval, more = {}, difference }: BaselineReport,
  metric: string,
): StageReport => ({
  ...{ id: called, uses: 'baseline', version: 0, config: {}, inputs: {}, cached: false, seconds: Number.NaN },
  ...{ ranOn: null, model: null, agreement: null, overBaseline: null, comparisons: [], latency: [], loading: null },
  ...{ time: null, undecided: false, causes: [], gap: null, training: null, client: null, usage: null, notes: [] },
  quality: {
    ...{ metric, score: score ?? Number.NaN, scoreInterval: scoreInterval ?? { low: Number.NaN, high: Number.NaN } },
    more: Object.fromEntries(Object.entries(more).map(([name, value]) => [name, { value, interval: null }])),
    ...{ examples: 0, classes: [] },
  },
  difference,
});

/** Baselines, to be beaten. */
const baselineRows = ({ data: { baselines } }: Pick<Report, 'data'>): readonly Row[] =>
  Object.entries(baselines ?? {}).map(([short, one]) => ({
    ...{ stage: asStage(one, ''), kind: 'baseline', baseline: one, short },
  }));

/** Every line of a table: baselines first, then the stages in their order. */
export const rowsOf = (report: Report): readonly Row[] => [
  ...baselineRows(report),
  ...report.stages.map(
    (stage): Row => ({ stage, kind: isControl(report, stage) ? 'control' : 'stage', short: stage.id }),
  ),
];

/** A cell of a line. */
export const cellOf = ({ cell, ofBaseline, gain }: Column, { stage, kind, baseline }: Row, report: Report): string => {
  const own = baseline === undefined ? undefined : ofBaseline?.(baseline);
  const text = own ?? cell(stage, report);
  if (kind === 'control' && gain === true && text !== '') return ABSENT;
  return kind === 'baseline' && text === '' ? ABSENT : text;
};

/** The lines that have something to say in these columns: a baseline may have nothing. */
export const tellingRows = (report: Report, columns: readonly Column[]): readonly Row[] =>
  rowsOf(report).filter(
    (row) => row.kind !== 'baseline' || columns.some((column) => cellOf(column, row, report) !== ABSENT),
  );

/** What short names of baselines stand for; undefined where they are no shorter. */
export const baselineNote = (report: Report): string | undefined => {
  const named = baselineRows(report).filter(({ short, stage }) => short !== stage.id);
  const said = named.map(({ short, stage }) => `${short} (${stage.id})`);
  return said.length === 0 ? undefined : `to be beaten: ${said.join(', ')}`;
};

/** What stages are that are told for comparison only; undefined for none. */
export const controlNote = (report: Report): string | undefined => {
  const controls = report.stages.filter((stage) => isControl(report, stage)).map(({ id }) => id);
  if (controls.length === 0) return undefined;
  const [verb, what] = controls.length === 1 ? ['is', 'a control'] : ['are', 'controls'];
  return `${controls.join(', ')} ${verb} ${what}, trained from random weights without a teacher: for comparison, not a result`;
};
