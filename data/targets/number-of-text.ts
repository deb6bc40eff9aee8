import type { UserError } from '../../ground/errors.ts';
import { missingLabel } from '../datasets/missing.ts';
import { scalarText } from '../datasets/rows.ts';
import { dataErrors } from '../errors.ts';
import type { Named, TargetKind } from './target.ts';

/** As programs write numbers, in ASCII: a point before the decimals, perhaps an exponent. */
const plain = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** The largest number that a model's weights and answers can hold. */
const LARGEST = 3.4028234663852886e38;

const decimalComma = /^[+-]?\d+,\d+$/;
const grouped = /^[+-]?\d{1,3}(?:[ ,'\u00a0\u202f]\d{3})+(?:\.\d+)?$/;
const between = /^[+-]?[\d.]+\s*(?:-|–|—|to|\.\.)\s*[\d.]+$/i;
const share = /^[+-]?[\d.]+\s*%$/;

/** With a comma before the decimals, and perhaps marks between thousands. */
const withComma = /^[+-]?(?:\d{1,3}(?:[.'\u00a0\u202f ]\d{3})+|\d+)(?:,\d+)?(?:e[+-]?\d+)?$/i;

/** Whether a text is meant as a number, even where it has to be written otherwise. */
export const looksNumeric = (text: string): boolean => plain.test(text) || withComma.test(text);

/** What to do about a text that is no number. */
const advice = (text: string): string => {
  if (grouped.test(text) && !decimalComma.test(text))
    return `write it without marks between thousands: ${text.replace(/[^\d.+-]/g, '')}`;
  const point = text.replace(',', '.');
  if (grouped.test(text)) return `write ${point}, or ${text.replace(',', '')} where the comma parts thousands`;
  if (decimalComma.test(text))
    return `write a point before the decimals: ${point}; or, where the comma does in all rows, decimal: ','`;
  if (share.test(text)) return `write the number alone: ${text.replace(/\s*%$/, '')}`;
  if (between.test(text)) return 'that is a range: write one number, such as its middle';
  return "expected a number, such as 3.5; where the column holds classes, leave 'task' out";
};

/** Whether a number has a comma before its decimals. One before three digits may part thousands. */
export const hasDecimalComma = (text: string): boolean =>
  text.includes(',') && withComma.test(text) && !grouped.test(text);

/** Whether a text is a number where a comma stands before decimals. */
export const isCommaNumber = (text: string): boolean => withComma.test(text);

/** A number with the comma before its decimals as programs write it; what is none stays. */
const pointed = (text: string): string =>
  isCommaNumber(text) ? text.replace(/[.'\u00a0\u202f ]/g, '').replace(',', '.') : '';

const numberOf = (written: string, at: string, column: string, decimal: '.' | ','): number => {
  const text = decimal === ',' ? pointed(written) : written;
  if (decimal === ',' && !plain.test(text))
    throw dataErrors.noNumber(at, column, written, "expected a number such as 3,5, as decimal: ',' says");
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

/** Deviations of less than so many steps of a float beside the mean are mostly rounding. */
const FEWEST_STEPS = 100;
const FLOAT_STEP = 2 ** -23;

const closeness = (targets: readonly Named[], source: string): UserError | undefined => {
  const numbers = targets.filter((target) => typeof target === 'number');
  const mean = numbers.reduce((sum, x) => sum + x / numbers.length, 0);
  const deviation = Math.sqrt(numbers.reduce((sum, x) => sum + (x - mean) ** 2 / numbers.length, 0));
  const [first = 0] = numbers;
  if (numbers.every((x) => x === first)) return dataErrors.oneNumber(source, first);
  return deviation < FEWEST_STEPS * FLOAT_STEP * Math.abs(mean)
    ? dataErrors.closeNumbers(source, mean, deviation)
    : undefined;
};

/** One number a text or pair: a rating, a similarity, a relevance. */
export const numberOfText: TargetKind = {
  key: 'number',
  noun: 'a number',
  about: 'text',
  named: false,
  fits: (target) => typeof target === 'number' && Number.isFinite(target),
  problem: closeness,
  table: {
    columns: ({ label }) => [label],
    numbers: true,
    read: ([value], [column = ''], row, missing, { decimal = '.' }) => {
      if (typeof value === 'boolean') throw dataErrors.noNumber(row.at, column, String(value), advice(''));
      const text = scalarText(value, column, row).trim();
      const none = missingLabel(text, missing);
      return none === undefined ? { target: numberOf(text, row.at, column, decimal) } : { ...none, noun: 'number' };
    },
  },
};
