import { column, type Judged, type Times } from './metric.ts';

/** The sum of a column over that of another, each of which stands at one answer about each text; NaN where nothing was written. */
const shareOf = (judged: Judged, [part, whole]: readonly [string, string], times?: Times): number => {
  if (!('written' in judged.columns)) return Number.NaN;
  const [parts, wholes] = [column(judged, part), column(judged, whole)];
  let [sum, size] = [0, 0];
  for (let answer = 0; answer < judged.count; answer++) {
    const n = times?.[answer] ?? 1;
    sum += n * (parts[answer] as number);
    size += n * (wholes[answer] as number);
  }
  return sum / size;
};

/** Written answers that are the right ones, over all that were written. */
export const exactMatchOf = (judged: Judged, times?: Times): number => shareOf(judged, ['exact', 'written'], times);

/** Changes of words (Levenshtein 1966) from the written answers to the right ones, over the words of these. */
export const editRateOf = (judged: Judged, times?: Times): number => shareOf(judged, ['edits', 'words'], times);
