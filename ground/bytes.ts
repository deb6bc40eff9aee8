import { NONE } from './metrics/written.ts';

/** Bytes in decimal units. */
export const bytes = (size: number): string => {
  if (!Number.isFinite(size)) return NONE;
  if (size < 1000) return `${Math.round(size)} B`;
  if (size < 1e6) return `${(size / 1e3).toFixed(size < 1e4 ? 1 : 0)} kB`;
  return `${(size / 1e6).toFixed(size < 1e8 ? 2 : 0)} MB`;
};
