import { column, type Judged, meanOf, type Times } from './metric.ts';

/** How often each class was said rightly, was said, and was true. */
export interface Counts {
  readonly hits: Float64Array;
  readonly said: Float64Array;
  readonly true: Float64Array;
}

const countsOf = (judged: Judged, times: Times): Counts => {
  const [said, truth] = [column(judged, 'said'), column(judged, 'truth')];
  const classes = said.length / Math.max(1, judged.count);
  const counts = { hits: new Float64Array(classes), said: new Float64Array(classes), true: new Float64Array(classes) };
  for (let answer = 0, at = 0; answer < judged.count; answer++) {
    const n = times === undefined ? 1 : (times[answer] as number);
    for (let c = 0; c < classes; c++, at++) {
      const [claim, fact] = [said[at] as number, truth[at] as number];
      counts.said[c] = (counts.said[c] as number) + n * claim;
      counts.true[c] = (counts.true[c] as number) + n * fact;
      counts.hits[c] = (counts.hits[c] as number) + n * claim * fact;
    }
  }
  return counts;
};

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);

/** 2 hits / (said + true); 0 where nothing was said and nothing true. */
export const f1OfCounts = (hits: number, said: number, actual: number): number =>
  said + actual === 0 ? 0 : (2 * hits) / (said + actual);

/** F1 of every class, and their unweighted mean over the classes that are said or true somewhere. */
export const f1Of = ({ hits, said, true: actual }: Counts): { readonly each: Float64Array; readonly macro: number } => {
  const each = hits.map((hit, c) => f1OfCounts(hit, said[c] as number, actual[c] as number));
  const present = each.filter((_, c) => (said[c] as number) + (actual[c] as number) > 0);
  return { each, macro: present.length === 0 ? 0 : meanOf(present) };
};

/** F1 of all classes of all answers together. */
export const microF1Of = (judged: Judged, times?: Times): number => {
  const { hits, said, true: actual } = countsOf(judged, times);
  return f1OfCounts(sum(hits), sum(said), sum(actual));
};

export const macroF1Of = (judged: Judged, times?: Times): number => f1Of(countsOf(judged, times)).macro;

/** 1 where a text has just the classes that were said. */
export const wholeSets = (judged: Judged): Float64Array => {
  const [said, truth] = [column(judged, 'said'), column(judged, 'truth')];
  const classes = said.length / Math.max(1, judged.count);
  return Float64Array.from({ length: judged.count }, (_, answer) => {
    for (let at = answer * classes; at < (answer + 1) * classes; at++) if (said[at] !== truth[at]) return 0;
    return 1;
  });
};
