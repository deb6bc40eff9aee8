import type { Scale } from './metric.ts';

/** What stands where there is no figure to show. */
export const NONE = 'n/a';

const finite = (x: number, text: () => string): string => (Number.isFinite(x) ? text() : NONE);

const noMinusZero = (text: string): string => (/^-0\.?0*$/.test(text) ? text.slice(1) : text);

/** A number with some decimals, never as minus zero. */
const digits = (x: number, places: number): string => finite(x, () => noMinusZero(x.toFixed(places)));

/** The same of a difference, with its sign, zero as +0.0. */
export const signedDigits = (x: number, places = 1): string =>
  finite(x, () => {
    const text = noMinusZero(x.toFixed(places));
    return text.startsWith('-') ? text : `+${text}`;
  });

/** Figures of a scale, and differences of them, for people. */
export const writing = ({ factor, digits: places }: Scale) => ({
  write: (x: number): string => digits(factor * x, places),
  writeChange: (x: number): string => signedDigits(factor * x, places),
});
