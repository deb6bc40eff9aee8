import { OUTSIDE } from '../../ground/metrics/entities.ts';
import type { Values } from '../datasets/rows.ts';
import { isScalar } from '../datasets/values.ts';
import { dataErrors } from '../errors.ts';
import { type PlacedWord, placedWords } from '../words.ts';

/** Characters of a text that are an entity, from `start` up to `end`. */
interface Span {
  readonly start: number;
  readonly end: number;
  readonly label: string;
}

const shown = (item: unknown): string => JSON.stringify(item)?.slice(0, 100) ?? String(item);

/** Parquet has whole numbers of 64 bits. */
const whole = (value: unknown): number | undefined => {
  const number = typeof value === 'bigint' ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
};

/** `{start, end, label}`, or the three of them in a list. */
const spanOf = (item: unknown, row: Values): Span => {
  const fields = Array.isArray(item) ? item : [Object(item).start, Object(item).end, Object(item).label];
  const [start, end] = [whole(fields[0]), whole(fields[1])];
  const label = isScalar(fields[2]) ? String(fields[2]).trim() : '';
  if (start !== undefined && end !== undefined && label !== '' && fields.length === 3) return { start, end, label };
  throw dataErrors.badSpan(
    row.at,
    shown(item),
    'is none; expected {"start": 0, "end": 5, "label": "PER"} or [0, 5, "PER"], in characters of the text',
  );
};

/** Whether a list holds spans, not tags. */
export const areSpans = (list: readonly unknown[]): boolean =>
  list.length > 0 && list.every((item) => typeof item === 'object' && item !== null);

/** Spaces at the ends of a span are not of the entity. */
const trimmed = ({ start, end, label }: Span, characters: readonly string[]): Span => {
  let [from, to] = [start, end];
  while (from < to && characters[from]?.trim() === '') from++;
  while (to > from && characters[to - 1]?.trim() === '') to--;
  return { start: from, end: to, label };
};

const quoted = (characters: readonly string[], { start, end, label }: Span): string =>
  `${shown(characters.slice(start, end).join(''))} [${start}, ${end}, ${shown(label)}]`;

/** The words of a span: all of them whole. */
const wordsIn = (
  span: Span,
  words: readonly PlacedWord[],
  characters: readonly string[],
  row: Values,
): readonly number[] => {
  const said = quoted(characters, span);
  if (span.end > characters.length)
    throw dataErrors.badSpan(row.at, said, `ends behind the text, which has ${characters.length} characters`);
  const inside = words.flatMap(({ start, end }, word) => (start < span.end && end > span.start ? [word] : []));
  const [first, last] = [words[inside[0] ?? -1], words[inside.at(-1) ?? -1]];
  if (first === undefined || last === undefined) throw dataErrors.badSpan(row.at, said, 'holds no word');
  if (first.start === span.start && last.end === span.end) return inside;
  const torn = first.start === span.start ? last : first;
  throw dataErrors.badSpan(
    row.at,
    said,
    `cuts the word ${shown(torn.word)} [${torn.start}, ${torn.end}]; expected characters (code points) counted from 0, and whole words`,
  );
};

/** The words of a text, and their tags in IOB2. Spans may stand in any order, and none reaches into another. */
export const taggedBySpans = (
  text: string,
  items: readonly unknown[],
  row: Values,
): { readonly words: readonly string[]; readonly tags: readonly string[] } => {
  const characters = [...text];
  const words = placedWords(text);
  const tags = words.map(() => OUTSIDE);
  for (const span of items.map((item) => trimmed(spanOf(item, row), characters))) {
    wordsIn(span, words, characters, row).forEach((word, i) => {
      if (tags[word] !== OUTSIDE)
        throw dataErrors.badSpan(row.at, quoted(characters, span), 'overlaps another one; a word is of one entity');
      tags[word] = `${i === 0 ? 'B' : 'I'}-${span.label}`;
    });
  }
  return { words: words.map(({ word }) => word), tags };
};
