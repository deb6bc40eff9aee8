import { NONE, signedDigits } from '../ground/metrics/written.ts';

export { bytes } from '../ground/bytes.ts';

/** How figures are written for people, the same in the terminal, in Markdown, in HTML and in model cards. */

const finite = (x: number, text: () => string): string => (Number.isFinite(x) ? text() : NONE);

/** A rate as a percentage with one decimal, without the sign. */
export const percent = (rate: number): string => finite(rate, () => (100 * rate).toFixed(1));

/** A count with a decimal multiple. */
export const count = (n: number): string =>
  finite(n, () => {
    if (n < 1e4) return `${Math.round(n)}`;
    if (n < 1e6) return `${(n / 1e3).toFixed(0)} k`;
    return n < 1e9 ? `${(n / 1e6).toFixed(2)} M` : `${(n / 1e9).toFixed(2)} G`;
  });

/** A count with all its digits, in groups of three. The system's own formatter takes longer to load than a whole table. */
export const whole = (n: number): string => finite(n, () => String(Math.round(n)).replace(/\B(?=(?:\d{3})+$)/g, ','));

/** A count of things, one of which is called so. */
export const plural = (n: number, one: string): string => `${whole(n)} ${one}${n === 1 ? '' : 's'}`;

export const milliseconds = (ms: number): string =>
  finite(ms, () => {
    if (ms < 0.0005 && ms > 0) return ms.toPrecision(1);
    return ms < 1 ? ms.toFixed(3) : ms < 100 ? ms.toFixed(2) : ms.toFixed(0);
  });

export const seconds = (s: number): string => finite(s, () => (s < 10 ? s.toFixed(1) : s.toFixed(0)));

/** A difference of times. */
export const millisecondsMore = (ms: number): string => signedDigits(ms, 3);

/** A rate's difference in percentage points. */
export const points = (difference: number): string => signedDigits(100 * difference);

/** A ratio with as many digits as it deserves, the same in sentences as in tables. */
export const times = (ratio: number): string =>
  finite(ratio, () => (ratio < 0.1 && ratio > 0 ? ratio.toPrecision(2) : ratio.toFixed(ratio < 2 ? 2 : 1)));

/** A mean with the deviation around it, in the digits of the mean. */
export const plusMinus = (
  { mean, deviation }: { readonly mean: number; readonly deviation: number | null },
  write: (x: number) => string,
): string => (deviation === null ? write(mean) : `${write(mean)} ± ${write(deviation).replace(/^\+/, '')}`);

/** A ratio as tables show it. */
export const speedup = (ratio: number): string => finite(ratio, () => `${times(ratio)}x`);

/** A number of the user's own unit. */
export const plainNumber = (x: number): string => finite(x, () => `${Number(x.toPrecision(4))}`);

/** The same of a difference, with its sign. */
export const signedNumber = (x: number): string => `${x < 0 ? '' : '+'}${plainNumber(x)}`;

export interface Range {
  readonly low: number;
  readonly high: number;
}

export const range = ({ low, high }: Range, write: (x: number) => string): string => `[${write(low)}, ${write(high)}]`;
