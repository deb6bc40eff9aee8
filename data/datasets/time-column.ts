import { splitErrors } from '../split-errors.ts';
import { type MissingOptions, missingLabel } from './missing.ts';
import { scalarText, type Values } from './rows.ts';

/** When a text is from. Forms that cannot be compared are told apart: a clock without a zone stands anywhere. */
export interface Time {
  /** Microseconds since 1970, or the number that the file has: larger is later. */
  readonly value: number;
  readonly form: 'number' | 'local' | 'zoned';
}

const number = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const date = /^(\d{4})([-/])(\d{2})(?:\2(\d{2}))?/;
const clock = /^[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?/i;
const zone = /^ ?(?:Z|UTC|([+-])(\d{2}):?(\d{2})?)$/i;

/** The parts of a text that patterns match one after another; undefined where something is left over. */
const partsOf = (text: string) => {
  const day = date.exec(text);
  if (day === null) return undefined;
  const rest = text.slice(day[0].length);
  const hour = clock.exec(rest);
  const behind = rest.slice(hour?.[0].length ?? 0);
  const shift = hour === null ? null : zone.exec(behind);
  return behind === '' || shift !== null ? { day, hour, shift } : undefined;
};

const SECOND = 1e6;

/** Microseconds since 1970 of a day that there is; undefined for February 30. */
const dayOf = ([, year, , month, day = '01']: RegExpExecArray): number | undefined => {
  const found = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  found.setUTCFullYear(Number(year));
  const isSame = found.getUTCMonth() === Number(month) - 1 && found.getUTCDate() === Number(day);
  return isSame ? found.getTime() * 1000 : undefined;
};

const clockOf = ([, hours, minutes, seconds = '0', fraction = '']: RegExpExecArray): number | undefined => {
  const [h, m, s] = [Number(hours), Number(minutes), Number(seconds)];
  if (h > 23 || m > 59 || s > 59) return undefined;
  return ((h * 60 + m) * 60 + s) * SECOND + Number(fraction.padEnd(6, '0').slice(0, 6));
};

const shiftOf = ([, sign, hours = '0', minutes = '0']: RegExpExecArray): number =>
  (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60 * SECOND;

const dated = (text: string): Time | undefined => {
  const parts = partsOf(text);
  const day = parts === undefined ? undefined : dayOf(parts.day);
  if (parts === undefined || day === undefined) return undefined;
  const { hour, shift } = parts;
  const within = hour === null ? 0 : clockOf(hour);
  if (within === undefined) return undefined;
  return { value: day + within - (shift === null ? 0 : shiftOf(shift)), form: shift === null ? 'local' : 'zoned' };
};

/** A time as a text has it: ISO 8601, or any number that grows. */
export const timeIn = (text: string): Time | undefined =>
  number.test(text) ? { value: Number(text), form: 'number' } : dated(text);

/** The time of a row; throws a dataError that names it where the time cannot be read. */
export const readTime = (
  value: unknown,
  column: string,
  row: Values,
  missing: MissingOptions,
): Time | { readonly missing: string } => {
  if (value instanceof Date && !Number.isNaN(value.getTime())) return { value: value.getTime() * 1000, form: 'zoned' };
  const text = scalarText(value, column, row).trim();
  const none = missingLabel(text, missing);
  if (none !== undefined) return none;
  const time = timeIn(text);
  if (time === undefined || !Number.isFinite(time.value)) throw splitErrors.noTime(row.at, column, text);
  return time;
};

/** A time as people write it. */
export const timeWords = ({ value, form }: Time): string => {
  if (form === 'number') return String(value);
  const text = new Date(value / 1000).toISOString();
  return form === 'zoned' ? text : text.slice(0, -1).replace(/T00:00:00\.000$/, '');
};

interface Timed {
  readonly at: string;
  readonly time?: Time;
}

const formWords = { number: 'a number', local: 'a time without a zone', zoned: 'a time with a zone' } as const;

/** Times of several forms have no order. */
export const expectOneForm = (rows: readonly Timed[], column: string): void => {
  const [first] = rows;
  const other = rows.find(({ time }) => time?.form !== first?.time?.form);
  if (first?.time === undefined || other?.time === undefined) return;
  throw splitErrors.otherTime(other.at, column, formWords[other.time.form], first.at, formWords[first.time.form]);
};
