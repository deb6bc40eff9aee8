/** Buffers that nobody uses at the moment. */
const idle: Uint8Array<ArrayBuffer>[] = [];
/** More are let go: they would only be held in case somebody comes back. */
const KEPT = 3;

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
    if (idle.length < KEPT) idle.push(buffer);
  }
}
