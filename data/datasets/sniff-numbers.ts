import { hasDecimalComma, isCommaNumber, looksNumeric } from '../targets/number-of-text.ts';

/** A column of the first rows: its name, and its values that are no missing ones. */
interface Values {
  readonly name: string;
  readonly distinct: ReadonlySet<string>;
}

const scoreNames = /(?:^|_)(score|rating|similarity|relevance|relatedness|grade|gold)s?$/i;

/** Fewer whole numbers are grades that people choose from: as much classes as numbers. */
const MOST_GRADES = 20;
const FEWEST_NUMBERS = 3;

const isWhole = (value: string): boolean => Number.isInteger(Number(value));

/** Whether a column holds numbers that are no names of classes: fractions, or more whole ones than anybody counts by. */
const holdsNumbers = ({ distinct }: Values): boolean =>
  distinct.size >= FEWEST_NUMBERS &&
  [...distinct].every(looksNumeric) &&
  (distinct.size > MOST_GRADES || ![...distinct].every(isWhole));

/** Numbers with a comma before their decimals, not several classes that it parts. */
export const areDecimals = (distinct: ReadonlySet<string>): boolean =>
  holdsNumbers({ name: '', distinct }) && [...distinct].some(hasDecimalComma) && [...distinct].every(isCommaNumber);

/** Columns that hold one number a text. */
export const numbersIn = <C extends Values>(columns: readonly C[]): readonly C[] => columns.filter(holdsNumbers);

/**
 * The one that models should give: called so; or the one that was taken for classes; or, where no column has classes, the only
 * one of fractions.
 */
export const likeliestNumber = <C extends Values>(numbers: readonly C[], label: C | undefined): C | undefined => {
  const called = numbers.find(({ name }) => scoreNames.test(name));
  if (called !== undefined) return called;
  if (label !== undefined) return numbers.find((column) => column === label);
  const [only, ...others] = numbers.filter(({ distinct }) => ![...distinct].every(isWhole));
  return others.length === 0 ? only : undefined;
};
