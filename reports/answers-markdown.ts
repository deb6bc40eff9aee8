import { averagesOf } from './classification.ts';
import { askedOf, type Matrix, matrixOf, mostConfused } from './confusion.ts';
import { percent, range, signedNumber, whole } from './figures.ts';
import { folded, inert, table } from './markdown.ts';
import { metricOf } from './metric.ts';
import type { AnswersReport, QualityReport, Report } from './report.ts';
import { stageOf } from './verdict.ts';

/** So many classes are told in view, with what they were taken for; more of them are folded. */
const MOST_IN_VIEW = 8;
/** Columns of a matrix that a comment is wide enough for. */
const MOST_COLUMNS = 12;
const LISTED = 5;

type ClassScores = QualityReport['classes'][number];

const scores = ({ support, precision, recall }: Pick<ClassScores, 'support' | 'precision' | 'recall'>): string[] => [
  whole(support),
  percent(precision),
  percent(recall),
];

/** Figures of each class, the largest first, and their means; counts of what each was said to be, where these fit. */
const classTable = (classes: readonly ClassScores[], examples: string, matrix: Matrix | null = null): string[] => {
  const said = matrix?.classes ?? [];
  const countsOf = (label: string): readonly number[] => matrix?.counts[said.indexOf(label)] ?? [];
  const head = ['class', examples, 'precision %', 'recall %', 'F1 % [95 %]'];
  const rows = classes
    .toSorted((a, b) => b.support - a.support)
    .map((one) => [
      ...[inert(one.label), ...scores(one), `${percent(one.f1)} ${range(one.f1Interval, percent)}`],
      ...countsOf(one.label).map(whole),
    ]);
  const means = averagesOf(classes).map((one) => [
    ...[`*${one.label}*`, ...scores(one), percent(one.f1)],
    ...said.map(() => ''),
  ]);
  return table([...head, ...said.map((label) => `said ${inert(label, 24)}`)], [...means, ...rows]);
};

const confused = (answers: AnswersReport, classes: readonly string[]): string[] => {
  const asked = askedOf(answers, classes).toSorted((a, b) => b.missed + b.wrong - a.missed - a.wrong);
  if (asked.length > 0) {
    const rows = asked
      .slice(0, LISTED)
      .map(({ label, hits, missed, wrong }) => [...[inert(label), whole(hits), whole(missed), whole(wrong)]]);
    return ['', ...table(['class', 'said rightly', 'left out', 'said wrongly'], rows)];
  }
  const pairs = mostConfused(answers, LISTED).map(
    ({ label, said, count }) => `${inert(label ?? '')} for ${inert(said ?? '')} (${whole(count)})`,
  );
  return pairs.length === 0 ? [] : ['', `Most often taken: ${pairs.join(', ')}.`];
};

const mistakes = ({ mistakes: all }: AnswersReport): string[] =>
  all.slice(0, LISTED).map(({ text, label, said, confidence, error }) => {
    const sure = confidence === null ? '' : `, ${percent(confidence)} % sure`;
    const off = error === null ? '' : `, ${signedNumber(error)} off`;
    return `- ${inert(text)}: said ${inert(said)}${sure}${off}; true: ${inert(label)}`;
  });

const heading = (stage: string): string =>
  `Every class, by ${inert(stage)}; behind it what its examples were said to be`;

/** In view where they are few. */
const shown = (title: string, lines: readonly string[], inView: boolean): string[] =>
  inView && lines.length > 0 ? ['', `${title}:`, '', ...lines] : folded(title, lines);

/** What the model that ships answered: by class, in view where these are few, and the surest mistakes. */
export const answersLines = (report: Report): string[] => {
  const { answers, data } = report;
  const quality = stageOf(report, answers?.stage)?.quality ?? null;
  if (answers === null || quality === null) return [];
  const matrix = data.classes.length > MOST_COLUMNS ? null : matrixOf(answers, data.classes);
  const classes =
    quality.classes.length === 0
      ? []
      : [...classTable(quality.classes, metricOf(report).examples, matrix), ...confused(answers, data.classes)];
  // Where tags mark entities, these are what a reader looks for.
  const inView = quality.classes.length <= MOST_IN_VIEW && quality.entities === undefined;
  return [
    ...shown(heading(answers.stage), classes, inView),
    ...folded(`What ${inert(answers.stage)} gets wrong`, mistakes(answers)),
  ];
};

/** The entities that the model that ships found, by type. */
export const entityLines = (report: Report): string[] => {
  const { answers } = report;
  const { entities = [] } = stageOf(report, answers?.stage)?.quality ?? {};
  if (answers === null || entities.length === 0) return [];
  return shown(
    `Entities by type, by ${inert(answers.stage)}`,
    classTable(entities, 'entities'),
    entities.length <= MOST_IN_VIEW,
  );
};
