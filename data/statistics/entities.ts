import { entityF1Of, entityTypes } from '../../ground/metrics/entities.ts';
import { column, type Judged } from '../../ground/metrics/metric.ts';
import { f1OfCounts } from '../../ground/metrics/sets.ts';
import { statisticBounds } from './bootstrap.ts';
import { type ClassScores, ratesOf } from './classes.ts';
import type { Bounds } from './intervals.ts';

/** Entities of one type, said or true, by the words at which they begin: what has none of them says nothing of it. */
const ofType = (judged: Judged, type: number): Judged => {
  const [said, truth] = [column(judged, 'entitySaidType'), column(judged, 'entityTrueType')];
  const hits = column(judged, 'entityHits');
  const words = Array.from({ length: judged.count }, (_, word) => word).filter(
    (word) => said[word] === type || truth[word] === type,
  );
  return {
    count: words.length,
    groups: Int32Array.from(words, (word) => judged.groups?.[word] ?? word),
    columns: {
      entityHits: words.map((word) => Number(truth[word] === type && hits[word] === 1)),
      entitySaid: words.map((word) => Number(said[word] === type)),
      entityTrue: words.map((word) => Number(truth[word] === type)),
    },
  };
};

const within = ({ low, high }: Bounds): Bounds => ({ low: Math.max(0, low), high: Math.min(1, high) });

const scoresOf = (judged: Judged): ClassScores => {
  const total = (name: string): number => Array.from(column(judged, name)).reduce((sum, one) => sum + one, 0);
  const [hits, said, support] = [total('entityHits'), total('entitySaid'), total('entityTrue')];
  return {
    ...ratesOf(hits, said, support),
    f1: f1OfCounts(hits, said, support),
    f1Interval: within(statisticBounds(entityF1Of, judged)),
  };
};

/**
 * Precision, recall and F1 of the entities of each type, both ends and the type right (seqeval's classification_report in mode
 * "strict"), with 95 % percentile intervals of a Poisson bootstrap over the texts.
 */
export const entityScores = (
  judged: Judged,
  classes: readonly string[],
): readonly (ClassScores & { readonly label: string })[] =>
  entityTypes(classes).map((label, type) => ({ label, ...scoresOf(ofType(judged, type)) }));
