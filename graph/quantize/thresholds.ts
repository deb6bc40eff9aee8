export const minimumMatrix = 64 * 64;
export const minimumRows = 64 * 1024;
/** Above the casts that folding constants does itself: a folded one would be float in the file again. */
export const minimumStored = 65 * 64;

/** No matrix with fewer elements is quantized, whatever it is for. */
export const leastQuantized = Math.min(minimumMatrix, minimumRows, minimumStored);
