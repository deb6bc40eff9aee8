import { FORMER_SCORE, withScore } from '../../ground/reported/score.ts';
import { type DatasetTask, datasetTasks, dataTask, usualTask } from '../../ground/tasks.ts';
import type { Report } from '../report.ts';

/**
 * Figures of quality stand in report.json twice: as `score`, `scoreInterval` and `more`, and under the names of their
 * metrics, as decant.report/1 has always had them. Whoever wants the accuracy finds it where that is the metric.
 */

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Changes the fields at a path; `*` stands for every item of a list or mapping. What is not there stays away. */
const at = (value: unknown, path: readonly string[], change: (fields: Fields) => Fields): unknown => {
  const [key, ...rest] = path;
  if (key === undefined) return isFields(value) ? change(value) : value;
  if (key === '*') {
    if (Array.isArray(value)) return value.map((item) => at(item, rest, change));
    if (!isFields(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, at(item, rest, change)]));
  }
  return isFields(value) && key in value ? { ...value, [key]: at(value[key], rest, change) } : value;
};

/** Where trainings stand, each with a metric of its own. */
const trainings = ['stages', '*', 'training'];

/** Where scores of the data's metric stand. */
const places: readonly (readonly string[])[] = [
  ['data', 'baselines', '*'],
  ['stages', '*', 'quality'],
  ['stages', '*', 'difference'],
  ['stages', '*', 'comparisons', '*'],
  ['stages', '*', 'client'],
  ['seeds', 'stages', '*'],
];

const changed = (report: unknown, paths: typeof places, change: (fields: Fields) => Fields): unknown =>
  paths.reduce((value, path) => at(value, path, change), report);

const intervalOf = (name: string): string => `${name}Interval`;

/** What earlier versions called baselines in tables. */
const baselineNames: Readonly<Record<string, string>> = {
  majority: 'majority class',
  linear: 'linear bag of words',
  lexicon: 'most frequent class of each word',
};

/** Names of the baselines of a step's metrics or of a report, where an earlier version wrote none. */
export const baselineCalled = (name: string, called?: string): string => called ?? baselineNames[name] ?? name;

const namedBaselines = (baselines: unknown): unknown =>
  isFields(baselines)
    ? Object.fromEntries(
        Object.entries(baselines).map(([name, fields]) => [
          name,
          isFields(fields) && !('called' in fields) ? { ...fields, called: baselineCalled(name) } : fields,
        ]),
      )
    : baselines;

const taskIn = (fields: unknown): DatasetTask | undefined =>
  isFields(fields) ? datasetTasks.find((name) => name === fields.task) : undefined;

const metricsIn = (report: Fields) => {
  const { metric, more } = dataTask(taskIn(report.data) ?? usualTask);
  return { metric, more: more.map(({ name }) => name) };
};

/** The metric of a stage's training where an earlier version did not name it: of the task that its options ask for. */
export const trainedFor = (config: unknown, task: DatasetTask): string => {
  const own = taskIn(config) ?? (isFields(config) ? taskIn(config.recover) : undefined);
  return dataTask(own ?? task).metric.name;
};

const withTrainedFor =
  (task: DatasetTask) =>
  (stage: Fields): Fields =>
    isFields(stage.training)
      ? { ...stage, training: { metric: trainedFor(stage.config, task), ...stage.training } }
      : stage;

const withFormerScore = (fields: Fields): Fields => {
  const read = withScore(fields);
  const interval = fields[intervalOf(FORMER_SCORE)];
  if (!isFields(read)) return fields;
  return interval === undefined || 'scoreInterval' in read ? read : { ...read, scoreInterval: interval };
};

/** Further metrics as fields of their own. */
const formerMore = (fields: Fields, names: readonly string[], value: (name: string) => unknown): Fields =>
  'more' in fields
    ? fields
    : {
        ...fields,
        more: Object.fromEntries(names.filter((name) => fields[name] != null).map((name) => [name, value(name)])),
      };

/** A report of whatever version as this one has it: one without scores has them under the name that all tasks had. */
export const fromFormer = (report: unknown): unknown => {
  if (!isFields(report)) return report;
  const { metric, more } = metricsIn(report);
  const scored = changed(report, [...places, [...trainings, 'curve', '*']], withFormerScore);
  const named = changed(scored, [['stages', '*', 'quality']], (fields) => ({
    metric: metric.name,
    ...formerMore(fields, more, (name) => ({ value: fields[name], interval: fields[intervalOf(name)] ?? null })),
  }));
  const trained = changed(named, [['stages', '*']], withTrainedFor(taskIn(report.data) ?? usualTask));
  const seeds = changed(trained, [['seeds', 'stages', '*']], (fields) =>
    formerMore(fields, more, (name) => fields[name]),
  );
  return changed(seeds, [['data']], (data) =>
    'baselines' in data ? { ...data, baselines: namedBaselines(data.baselines) } : data,
  );
};

/** Fields of decant.report/1 that are null where a task has no such metric. */
const nullable = {
  quality: ['macroF1', intervalOf('macroF1'), 'loss', 'calibrationError'],
  seeds: ['macroF1', 'loss'],
} as const;

const nulls = (names: readonly string[]): Fields => Object.fromEntries(names.map((name) => [name, null]));

const underNames = (more: unknown): Fields =>
  !isFields(more)
    ? {}
    : Object.fromEntries(
        Object.entries(more).flatMap(([name, figure]) =>
          isFields(figure) && 'interval' in figure
            ? [[name, figure.value], ...(figure.interval === null ? [] : [[intervalOf(name), figure.interval]])]
            : [[name, figure]],
        ),
      );

const underMetric =
  (metric: unknown) =>
  (fields: Fields): Fields => ({
    ...fields,
    ...(fields.score !== undefined ? { [`${metric}`]: fields.score } : {}),
    ...('scoreInterval' in fields ? { [intervalOf(`${metric}`)]: fields.scoreInterval } : {}),
  });

/** Stages may train for another task than that of the data. */
const curveUnderMetric = (training: Fields): Fields =>
  Object(at(training, ['curve', '*'], underMetric(training.metric)));

/** A report as it is written: every score under the name of its metric, too. */
export const withMetricNames = (report: Report): unknown => {
  const { metric } = metricsIn(report);
  const ofData = changed(report, places, underMetric(metric.name));
  const scored = changed(ofData, [trainings], curveUnderMetric);
  const more =
    (names: readonly string[]) =>
    (fields: Fields): Fields => ({ ...fields, ...nulls(names), ...underNames(fields.more) });
  const quality = changed(scored, [['stages', '*', 'quality']], more(nullable.quality));
  return changed(quality, [['seeds', 'stages', '*']], more(nullable.seeds));
};
