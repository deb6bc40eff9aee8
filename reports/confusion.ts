import type { AnswersReport } from './report.ts';

/** A confusion matrix as people can read it: of many classes the most frequent, the others in one. */
export interface Matrix {
  readonly classes: readonly string[];
  /** (true class, said class), in the order of `classes`. */
  readonly counts: readonly (readonly number[])[];
}

/** Columns that fit a screen. */
const MOST_CLASSES = 26;

/** What was never answered, and what is none of the classes that are shown. */
const NO_ANSWER = 'no answer';

type Cell = AnswersReport['confusion'][number];

const supports = (cells: readonly Cell[], order: readonly string[]): ReadonlyMap<string, number> => {
  const counts = new Map(order.map((label) => [label, 0]));
  for (const { label, count } of cells) if (label !== null) counts.set(label, (counts.get(label) ?? 0) + count);
  return counts;
};

/** The most frequent classes, in the order of the data. */
const shownOf = (cells: readonly Cell[], order: readonly string[], most: number): readonly string[] => {
  const counts = supports(cells, order);
  const frequent = order.toSorted((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0));
  const shown = new Set(order.length <= most ? order : frequent.slice(0, most - 1));
  return order.filter((label) => shown.has(label));
};

/** Of sets of classes there is no such matrix: each class is a question of its own. */
export const matrixOf = (
  { confusion }: Pick<AnswersReport, 'confusion'>,
  order: readonly string[],
  most = MOST_CLASSES,
): Matrix | null => {
  if (confusion.length === 0 || confusion.some(({ label }) => label === null)) return null;
  const shown = shownOf(confusion, order, most);
  const rest = order.length - shown.length;
  const others = `${rest} others`;
  const unanswered = confusion.some(({ said }) => said === null) ? [NO_ANSWER] : [];
  const classes = [...shown, ...(rest === 0 ? [] : [others]), ...unanswered];
  const at = new Map(classes.map((label, i) => [label, i]));
  const place = (label: string | null): number =>
    label === null ? classes.length - 1 : (at.get(label) ?? shown.length);
  const counts = classes.map(() => classes.map(() => 0));
  for (const { label, said, count } of confusion) {
    const row = counts[place(label)];
    const column = place(said);
    if (row !== undefined) row[column] = (row[column] ?? 0) + count;
  }
  const answered = unanswered.length === 0 ? counts : counts.slice(0, -1);
  return { classes, counts: answered };
};

/** A class of sets, as a question of its own. */
export interface Asked {
  readonly label: string;
  readonly hits: number;
  readonly missed: number;
  readonly wrong: number;
}

/** How often each class of sets was said rightly, left out, and said wrongly; none where answers are one class each. */
export const askedOf = (
  { confusion }: Pick<AnswersReport, 'confusion'>,
  order: readonly string[],
): readonly Asked[] => {
  if (confusion.every(({ label }) => label !== null)) return [];
  const count = (label: string | null, said: string | null): number =>
    confusion.find((cell) => cell.label === label && cell.said === said)?.count ?? 0;
  return order.map((label) => ({
    ...{ label, hits: count(label, label) },
    ...{ missed: count(label, null), wrong: count(null, label) },
  }));
};

/** Pairs of classes that are taken for each other most, the most frequent first. */
export const mostConfused = ({ confusion }: Pick<AnswersReport, 'confusion'>, most: number): readonly Cell[] =>
  confusion.filter(({ label, said }) => label !== null && said !== null && label !== said).slice(0, most);
