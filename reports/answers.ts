import { probabilityOf } from '../data/sets.ts';
import { spaced } from '../data/spaced.ts';
import { predictions, type Scored } from '../data/statistics/scored.ts';
import { membersOf, type Sets } from '../data/statistics/sets.ts';
import { column, meanOf } from '../ground/metrics/metric.ts';
import { plainNumber } from './figures.ts';
import type { Judged } from './judged.ts';
import type { AnswersReport } from './report.ts';

type Cell = AnswersReport['confusion'][number];
type Told = Omit<AnswersReport, 'stage'>;

/** Cells of a matrix that report.json holds: that of fifty classes, or the fullest of thousands. */
const MOST_CELLS = 2500;
const MOST_MISTAKES = 20;
const MOST_POINTS = 400;
const BINS = 10;

/** An answer with a probability, and whether it was right. */
interface Believed {
  readonly confidence: number;
  readonly right: boolean;
}

const binOf = (confidence: number): number => Math.min(BINS - 1, Math.max(0, Math.ceil(confidence * BINS) - 1));

/** How often answers of each confidence are right. */
const reliabilityOf = (answers: readonly Believed[]): AnswersReport['reliability'] => {
  const bins = Array.from({ length: BINS }, (): Believed[] => []);
  for (const answer of answers) bins[binOf(answer.confidence)]?.push(answer);
  return bins.flatMap((inside, bin) =>
    inside.length === 0
      ? []
      : {
          ...{ low: bin / BINS, high: (bin + 1) / BINS, count: inside.length },
          confidence: meanOf(inside.map(({ confidence }) => confidence)),
          right: meanOf(inside.map(({ right }) => Number(right))),
        },
  );
};

/** The fullest cells, and how many examples lie in the others. */
const fullest = (cells: readonly Cell[]): Pick<Told, 'confusion' | 'leftOut'> => {
  const sorted = cells.filter(({ count }) => count > 0).toSorted((a, b) => b.count - a.count);
  const leftOut = sorted.slice(MOST_CELLS).reduce((sum, { count }) => sum + count, 0);
  return { confusion: sorted.slice(0, MOST_CELLS), leftOut };
};

type Name = (c: number) => string;

const confusionOf = ({ labels }: Scored, chosen: Int32Array, name: Name): readonly Cell[] => {
  const counts = new Map<string, { readonly label: number; readonly said: number; count: number }>();
  chosen.forEach((said, example) => {
    const label = labels[example] ?? -1;
    const key = `${label} ${said}`;
    const cell = counts.get(key) ?? { label, said, count: 0 };
    cell.count++;
    counts.set(key, cell);
  });
  return [...counts.values()].map(({ label, said, count }) => ({
    ...{ label: name(label), said: said < 0 ? null : name(said), count },
  }));
};

/** A wrong answer by its number, and how sure it was. */
interface Wrong {
  readonly example: number;
  readonly confidence: number;
}

const surest = (wrong: readonly Wrong[]): readonly Wrong[] =>
  wrong.toSorted((a, b) => b.confidence - a.confidence || a.example - b.example).slice(0, MOST_MISTAKES);

/** Choices of one class each. Of what was never read nothing was believed. */
const ofChoices = ({ ids, textOf, judged }: Judged, scored: Scored, name: Name): Told => {
  const chosen = predictions(scored);
  const confidence = column(judged, 'confidence');
  const read = [...chosen.keys()].filter((example) => (chosen[example] ?? -1) >= 0);
  const isRight = (example: number): boolean => chosen[example] === scored.labels[example];
  const wrong = read
    .filter((example) => !isRight(example))
    .map((example) => ({ example, confidence: confidence[example] ?? 0 }));
  return {
    ...fullest(confusionOf(scored, chosen, name)),
    mistakes: surest(wrong).map(({ example, confidence: believed }) => ({
      ...{ id: ids[example] ?? -1, text: textOf(ids[example] ?? -1) },
      ...{ label: name(scored.labels[example] ?? -1), said: name(chosen[example] ?? -1) },
      ...{ confidence: Math.min(1, believed), error: null },
    })),
    reliability: reliabilityOf(
      read.map((example) => ({ confidence: confidence[example] ?? 0, right: isRight(example) })),
    ),
    scatter: [],
  };
};

/** Texts that have a class and were said to have it, that were not, and that have it not but were. */
const cellsOfSet = ({ classes, said, truth }: Sets, c: number, name: Name): readonly Cell[] => {
  let [hits, missed, wrong] = [0, 0, 0];
  for (let at = c; at < truth.length; at += classes) {
    if (truth[at] === 1) said[at] === 1 ? hits++ : missed++;
    else if (said[at] === 1) wrong++;
  }
  const own = name(c);
  return [
    { label: own, said: own, count: hits },
    { label: own, said: null, count: missed },
    { label: null, said: own, count: wrong },
  ];
};

/** How sure a model was of the class of a text that it got most wrong; 0 where all are right. */
const worstOf = ({ classes, said, truth, logits }: Sets, text: number): number => {
  let worst = 0;
  for (let at = text * classes; at < (text + 1) * classes; at++) {
    if (said[at] === truth[at]) continue;
    const p = probabilityOf(logits[at] ?? 0);
    worst = Math.max(worst, said[at] === 1 ? p : 1 - p);
  }
  return worst;
};

/** Sets of classes, each class a question of its own. */
const ofSets = ({ ids, textOf }: Judged, sets: Sets, name: Name): Told => {
  const { classes, truth, said, logits } = sets;
  const named = (of: Sets['said'], text: number): string => membersOf(sets, of, text).map(name).join(', ') || 'none';
  const all = Array.from(ids, (_, example) => ({ example, confidence: worstOf(sets, example) }));
  const wrong = all.filter(({ confidence }) => confidence !== 0);
  return {
    ...fullest(Array.from({ length: classes }, (_, c) => cellsOfSet(sets, c, name)).flat()),
    mistakes: surest(wrong).map(({ example, confidence }) => ({
      ...{ id: ids[example] ?? -1, text: textOf(ids[example] ?? -1) },
      ...{ label: named(truth, example), said: named(said, example), confidence, error: null },
    })),
    reliability: reliabilityOf(
      Array.from(logits, (logit, at) => ({ confidence: probabilityOf(logit), right: truth[at] === 1 })),
    ),
    scatter: [],
  };
};

/** Numbers, by how far they are off. */
const ofNumbers = ({ ids, textOf, judged }: Judged): Told => {
  const [said, truth] = [column(judged, 'said'), column(judged, 'truth')];
  const all = Array.from(ids, (id, i) => ({ id, said: said[i] ?? Number.NaN, truth: truth[i] ?? Number.NaN })).filter(
    (one) => Number.isFinite(one.said) && Number.isFinite(one.truth),
  );
  const off = (one: { readonly said: number; readonly truth: number }): number => Math.abs(one.said - one.truth);
  const furthest = all.toSorted((a, b) => off(b) - off(a) || a.id - b.id).slice(0, MOST_MISTAKES);
  return {
    ...{ confusion: [], leftOut: 0, reliability: [] },
    mistakes: furthest.map((one) => ({
      ...{ id: one.id, text: textOf(one.id), label: plainNumber(one.truth), said: plainNumber(one.said) },
      ...{ confidence: null, error: one.said - one.truth },
    })),
    scatter: spaced(all, all.length, MOST_POINTS).map((one) => ({ said: one.said, truth: one.truth })),
  };
};

const told = (judged: Judged, name: Name): Told | null => {
  if (judged.scored !== null) return ofChoices(judged, judged.scored, name);
  if (judged.sets !== null) return ofSets(judged, judged.sets, name);
  return judged.task.answer === 'number' ? ofNumbers(judged) : null;
};

/** What a model answered, beyond its figures; null where answers are neither classes nor numbers. */
export const answersReport = (
  stage: string,
  judged: Judged | null,
  classes: readonly string[],
): AnswersReport | null => {
  const answers = judged === null || judged.ids.length === 0 ? null : told(judged, (c) => classes[c] ?? `${c}`);
  return answers === null ? null : { stage, ...answers };
};
