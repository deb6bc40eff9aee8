import type { Choose } from './choose.ts';

/** Reads tokens behind all that it read before, and says how probable each is next. */
export type Reader = (tokens: readonly number[]) => Promise<Float32Array>;

/** How far is written, and how. */
export interface HowFar {
  /** New tokens at most. */
  readonly most: number;
  readonly choose: Choose;
  /** The token that ends a text. */
  readonly end: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Writes behind tokens, one after the other; the token that ends the text is the last one given. */
export async function* writtenBehind(
  read: Reader,
  tokens: readonly number[],
  { most, choose, end, signal }: HowFar,
): AsyncGenerator<number> {
  const all = [...tokens];
  let unread = tokens;
  for (let count = 0; count < most; count++) {
    signal?.throwIfAborted();
    const next = choose(await read(unread), all);
    all.push(next);
    yield next;
    if (next === end) return;
    unread = [next];
  }
}
