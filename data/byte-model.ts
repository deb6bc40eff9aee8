import { setImmediate } from 'node:timers/promises';

/** Bytes of the context, and of the longest piece that is counted. */
const ORDER = 5;
const LONGEST = ORDER + 1;
const TAGS = 8;

/** Pieces of up to six bytes with how often they occur and how many different bytes follow: an open hash table. */
class Pieces {
  #keys = new Float64Array(2 ** 16).fill(-1);
  #counts = new Uint32Array(2 ** 16);
  #followers = new Uint16Array(2 ** 16);
  #size = 0;

  #slotIn(keys: Float64Array, key: number): number {
    const last = keys.length - 1;
    // Both halves of the key take part: a multiplication of its low bits alone would forget the oldest bytes.
    let slot = (Math.imul(key % 2 ** 32, 0x9e3779b1) ^ Math.imul(Math.floor(key / 2 ** 21), 0x85ebca6b)) & last;
    while (keys[slot] !== -1 && keys[slot] !== key) slot = (slot + 1) & last;
    return slot;
  }

  /** Where a piece is kept, or would be. */
  at(key: number): number {
    return this.#slotIn(this.#keys, key);
  }

  count(slot: number): number {
    return this.#counts[slot] as number;
  }

  followers(slot: number): number {
    return this.#followers[slot] as number;
  }

  /** Counts a piece once more; true where it is new. */
  add(key: number): boolean {
    if (this.#size * 2 > this.#keys.length) this.#grow();
    const slot = this.at(key);
    const isNew = this.#keys[slot] === -1;
    if (isNew) this.#size++;
    this.#keys[slot] = key;
    this.#counts[slot] = this.count(slot) + 1;
    return isNew;
  }

  follow(key: number): void {
    const slot = this.at(key);
    this.#followers[slot] = this.followers(slot) + 1;
  }

  #grow(): void {
    const [keys, counts, followers] = [this.#keys, this.#counts, this.#followers];
    this.#keys = new Float64Array(2 * keys.length).fill(-1);
    this.#counts = new Uint32Array(2 * keys.length);
    this.#followers = new Uint16Array(2 * keys.length);
    keys.forEach((key, from) => {
      if (key === -1) return;
      const slot = this.at(key);
      this.#keys[slot] = key;
      this.#counts[slot] = counts[from] as number;
      this.#followers[slot] = followers[from] as number;
    });
  }
}

/** The `length` bytes that end before `end` as one number, told from those of other lengths. */
const keyOf = (bytes: Uint8Array, end: number, length: number): number => {
  let key = 0;
  for (let i = end - length; i < end; i++) key = key * 256 + (bytes[i] as number);
  return key * TAGS + length;
};

const learn = (pieces: Pieces, bytes: Uint8Array): void => {
  for (let end = 1; end <= bytes.length; end++) {
    // The piece of no bytes stands before every one.
    pieces.add(keyOf(bytes, end - 1, 0));
    for (let length = 1; length <= Math.min(LONGEST, end); length++) {
      if (pieces.add(keyOf(bytes, end, length))) pieces.follow(keyOf(bytes, end - 1, length - 1));
    }
  }
};

/** Bits of surprise at all bytes of a text. */
const surprise = (pieces: Pieces, bytes: Uint8Array): number => {
  let bits = 0;
  for (let at = 0; at < bytes.length; at++) {
    let p = 1 / 256;
    for (let length = 0; length <= Math.min(ORDER, at); length++) {
      const before = pieces.at(keyOf(bytes, at, length));
      const [seen, kinds] = [pieces.count(before), pieces.followers(before)];
      if (kinds === 0) break;
      p = (pieces.count(pieces.at(keyOf(bytes, at + 1, length + 1))) + kinds * p) / (seen + kinds);
    }
    bits -= Math.log2(p);
  }
  return bits;
};

/** What a model of bytes says of texts. */
export interface ByteSurprise {
  readonly bits: number;
  readonly bytes: number;
}

/**
 * Surprise at texts of a model that guesses each byte by the five before it, learnt from other texts: longer contexts fall back
 * on shorter ones by how many different bytes follow them (Witten and Bell 1991, IEEE Trans. Inf. Theory 37, method C). What a
 * language model has to beat by more than letters.
 */
export const byteSurprise = async (
  training: Iterable<string>,
  texts: Iterable<string>,
  signal?: AbortSignal,
): Promise<ByteSurprise> => {
  const pieces = new Pieces();
  const turn = async (): Promise<void> => {
    await setImmediate();
    signal?.throwIfAborted();
  };
  for (const text of training) {
    learn(pieces, Buffer.from(text));
    await turn();
  }
  let [bits, bytes] = [0, 0];
  for (const text of texts) {
    const own = Buffer.from(text);
    bits += surprise(pieces, own);
    bytes += own.length;
    await turn();
  }
  return { bits, bytes };
};
