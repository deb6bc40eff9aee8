import { isMissing } from '../datasets/missing.ts';
import { scalarText } from '../datasets/rows.ts';
import { dataErrors } from '../errors.ts';
import type { TargetKind } from './target.ts';

/** As programs write numbers, in ASCII: a point before the decimals, perhaps an exponent. */
const plain = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** The largest number that a model's weights and answers can hold. */
const LARGEST = 3.4028234663852886e38;

const decimalComma = /^[+-]?\d+,\d+$/;
const grouped = /^[+-]?\d{1,3}(?:[ ,'\u00a0\u202f]\d{3})+(?:\.\d+)?$/;
const between = /^[+-]?[\d.]+\s*(?:-|–|—|to|\.\.)\s*[\d.]+$/i;
const share = /^[+-]?[\d.]+\s*%$/;

/** Whether a text is meant as a number, even where it has to be written otherwise. */
export const looksNumeric = (text: string): boolean => plain.test(text) || decimalComma.test(text);

/** What to do about a text that is no number. */
const advice = (text: string): string => {
  if (grouped.test(text) && !decimalComma.test(text))
    return `write it without marks between thousands: ${text.replace(/[^\d.+-]/g, '')}`;
  if (decimalComma.test(text)) return `write a point before the decimals: ${text.replace(',', '.')}`;
  if (share.test(text)) return `write the number alone: ${text.replace(/\s*%$/, '')}`;
  if (between.test(text)) return 'that is a range: write one number, such as its middle';
  return "expected a number, such as 3.5; where the column holds classes, leave 'task' out";
};

const numberOf = (text: string, at: string, column: string): number => {
  if (!plain.test(text)) throw dataErrors.noNumber(at, column, text, advice(text));
  const number = Number(text);
  if (Math.abs(number) <= LARGEST) return number;
  throw dataErrors.noNumber(
    at,
    column,
    text,
    'expected a number that a float holds (up to 3.4e38): divide the column by a constant',
  );
};

/** One number a text or pair: a rating, a similarity, a relevance. */
export const numberOfText: TargetKind = {
  key: 'number',
  noun: 'a number',
  about: 'text',
  named: false,
  fits: (target) => typeof target === 'number' && Number.isFinite(target),
  table: {
    columns: ({ label }) => [label],
    read: ([value], [column = ''], row, missing) => {
      if (typeof value === 'boolean') throw dataErrors.noNumber(row.at, column, String(value), advice(''));
      const text = scalarText(value, column, row).trim();
      return isMissing(text, missing) ? { missing: text } : { target: numberOf(text, row.at, column) };
    },
  },
};
