/** Buffers that nobody uses at the moment, from the smallest to the largest. */
const idle: Uint8Array<ArrayBuffer>[] = [];
/** More are let go, the smallest first: they would only be held in case somebody comes back. */
const KEPT = 3;

const keep = (buffer: Uint8Array<ArrayBuffer>): void => {
  const larger = idle.findIndex((other) => other.length > buffer.length);
  idle.splice(larger < 0 ? idle.length : larger, 0, buffer);
  if (idle.length > KEPT) idle.shift();
};

/**
 * Lends a buffer of at least `length` bytes for as long as `use` runs, step by step. Bytes that are only passed on would
 * otherwise be garbage by the hundred megabytes before the collector comes.
 */
export function* withScratch<T>(
  length: number,
  use: (buffer: Uint8Array<ArrayBuffer>) => Iterable<T>,
): Generator<T, void> {
  const at = idle.findIndex((buffer) => buffer.length >= length);
  const buffer = idle.splice(at, at < 0 ? 0 : 1)[0] ?? new Uint8Array(length);
  try {
    yield* use(buffer);
  } finally {
    keep(buffer);
  }
}
