import { NONE } from './metrics/written.ts';

/** Bytes in decimal units. */
export const bytes = (size: number): string => {
  if (!Number.isFinite(size)) return NONE;
  if (size < 1000) return `${Math.round(size)} B`;
  if (size < 1e6) return `${(size / 1e3).toFixed(size < 1e4 ? 1 : 0)} kB`;
  return `${(size / 1e6).toFixed(size < 1e8 ? 2 : 0)} MB`;
};

const UNITS: Readonly<Record<string, number>> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9 };

/** Bytes as people write them, such as `16MB`; undefined for anything else. */
export const bytesIn = (text: string): number | undefined => {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*(B|kB|MB|GB)$/.exec(text.trim()) ?? [];
  return number === undefined ? undefined : Number(number) * (UNITS[unit] ?? Number.NaN);
};
