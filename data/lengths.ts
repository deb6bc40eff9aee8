/** Tokens of each text. */
export const lengthsOf = (examples: readonly { readonly length: number }[]): Int32Array =>
  Int32Array.from(examples, ({ length }) => length);

/** The lengths that stand for a split: the middle one and the 95th percentile, as order statistics (no interpolation). */
export const typicalLengths = (lengths: ArrayLike<number>): { readonly median: number; readonly p95: number } => {
  const sorted = Array.from(lengths).sort((a, b) => a - b);
  const at = (q: number): number => sorted[Math.floor((sorted.length - 1) * q)] ?? 1;
  return { median: at(0.5), p95: at(0.95) };
};

/** How many texts lost tokens to the length they were cut to, as "3 of 40 texts (7.5 %)"; undefined where all are whole. */
export const cutShare = (texts: readonly { readonly cut?: number }[], called: string): string | undefined => {
  const cut = texts.filter((text) => text.cut !== undefined).length;
  const share = ((100 * cut) / texts.length).toFixed(1);
  return cut === 0 ? undefined : `${cut} of ${texts.length} ${called} (${share} %)`;
};
