/** Texts that are measured at once at most. */
export const MEASURED_TOGETHER = 32;
/** Their tokens, unless one text has more: what the backward pass keeps grows with them. */
const TOKENS = 256;

/** How many texts of a length are measured at once. */
export const measuringPass = (length: number): number =>
  Math.max(1, Math.min(MEASURED_TOGETHER, Math.floor(TOKENS / Math.max(1, length))));
