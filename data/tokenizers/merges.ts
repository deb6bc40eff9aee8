/** Two neighbouring symbols that become one. */
export type Merge = readonly [left: string, right: string];

export interface MergeOptions {
  /** Symbols at most, the alphabet included. */
  readonly size: number;
  /** Pairs seen less often stay apart. */
  readonly minFrequency: number;
  /** The text of two symbols joined. */
  join(left: string, right: string): string;
}

export interface Merges {
  /** Alphabet first, then merged symbols in the order in which they were learned. */
  readonly symbols: readonly string[];
  readonly merges: readonly Merge[];
}

/** A word as symbol ids, with how often it occurs. */
interface Word {
  symbols: number[];
  readonly count: number;
}

/** A pair of neighbours: how often, and the words that may hold it. */
interface Pair {
  readonly left: number;
  readonly right: number;
  count: number;
  readonly words: Set<number>;
}

/** Pairs waiting in the queue with the count they had when they came in. */
interface Entry {
  readonly pair: Pair;
  readonly count: number;
}

/** A binary heap: `before` says which of two comes out first. */
class Heap<T> {
  readonly #items: T[] = [];
  readonly #before: (a: T, b: T) => boolean;

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  push(item: T): void {
    const items = this.#items;
    let at = items.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = items[above] as T;
      if (!this.#before(item, parent)) break;
      items[at] = parent;
      at = above;
    }
    items[at] = item;
  }

  pop(): T | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (items.length > 0 && last !== undefined) this.#sink(last);
    return top;
  }

  #sink(item: T): void {
    const items = this.#items;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= items.length) break;
      if (below + 1 < items.length && this.#before(items[below + 1] as T, items[below] as T)) below++;
      if (!this.#before(items[below] as T, item)) break;
      items[at] = items[below] as T;
      at = below;
    }
    items[at] = item;
  }
}

/** Keys of pairs are left * SPAN + right, exact in a double. */
const SPAN = 2 ** 26;

/**
 * Byte-pair encoding (Sennrich et al. 2016, arXiv 1508.07909) over counted words. Of equally frequent pairs the one that
 * comes first as text is merged, so equal texts give equal merges whatever their order.
 */
class Learner {
  readonly symbols: string[] = [];
  readonly merges: Merge[] = [];
  readonly #options: MergeOptions;
  readonly #words: readonly Word[];
  readonly #ids = new Map<string, number>();
  readonly #pairs = new Map<number, Pair>();
  readonly #queue = new Heap<Entry>((a, b) => this.#before(a, b));

  constructor(words: ReadonlyMap<string, number>, cut: (word: string) => readonly string[], options: MergeOptions) {
    this.#options = options;
    const cuts = [...words].map(([word, count]) => ({ parts: cut(word), count }));
    for (const symbol of [...new Set(cuts.flatMap(({ parts }) => parts))].sort()) this.#idOf(symbol);
    this.#words = cuts.map(({ parts, count }) => ({ symbols: parts.map((part) => this.#idOf(part)), count }));
    for (const [index, word] of this.#words.entries()) this.#countPairs(index, word, 1);
    for (const pair of this.#pairs.values()) this.#queue.push({ pair, count: pair.count });
  }

  learn(): Merges {
    while (this.symbols.length < this.#options.size) {
      const pair = this.#next();
      if (pair === undefined) break;
      this.#merge(pair);
    }
    return { symbols: this.symbols, merges: this.merges };
  }

  #text(id: number): string {
    return this.symbols[id] ?? '';
  }

  #before(a: Entry, b: Entry): boolean {
    if (a.count !== b.count) return a.count > b.count;
    const left = this.#text(a.pair.left);
    const otherLeft = this.#text(b.pair.left);
    if (left !== otherLeft) return left < otherLeft;
    return this.#text(a.pair.right) < this.#text(b.pair.right);
  }

  #idOf(symbol: string): number {
    const known = this.#ids.get(symbol);
    if (known !== undefined) return known;
    const id = this.symbols.length;
    this.symbols.push(symbol);
    this.#ids.set(symbol, id);
    return id;
  }

  /** Adds or removes all pairs of a word. */
  #countPairs(index: number, { symbols, count }: Word, sign: 1 | -1, changed?: Set<Pair>): void {
    for (let i = 0; i + 1 < symbols.length; i++) {
      const left = symbols[i] as number;
      const right = symbols[i + 1] as number;
      const key = left * SPAN + right;
      let pair = this.#pairs.get(key);
      if (pair === undefined) {
        pair = { left, right, count: 0, words: new Set() };
        this.#pairs.set(key, pair);
      }
      pair.count += sign * count;
      if (sign > 0) pair.words.add(index);
      changed?.add(pair);
    }
  }

  /** The most frequent pair; entries whose count has changed since were pushed again when it did. */
  #next(): Pair | undefined {
    for (let entry = this.#queue.pop(); entry !== undefined; entry = this.#queue.pop()) {
      if (entry.count < this.#options.minFrequency) return undefined;
      if (entry.count === entry.pair.count) return entry.pair;
    }
    return undefined;
  }

  #merge(pair: Pair): void {
    const { left, right } = pair;
    const merged = this.#idOf(this.#options.join(this.#text(left), this.#text(right)));
    this.merges.push([this.#text(left), this.#text(right)]);
    const changed = new Set<Pair>();
    for (const index of pair.words) {
      const word = this.#words[index];
      if (word === undefined || !holds(word.symbols, left, right)) continue;
      this.#countPairs(index, word, -1, changed);
      word.symbols = joined(word.symbols, left, right, merged);
      this.#countPairs(index, word, 1, changed);
    }
    pair.words.clear();
    for (const other of changed) if (other.count > 0) this.#queue.push({ pair: other, count: other.count });
  }
}

const holds = (symbols: readonly number[], left: number, right: number): boolean => {
  for (let i = 0; i + 1 < symbols.length; i++) if (symbols[i] === left && symbols[i + 1] === right) return true;
  return false;
};

const joined = (symbols: readonly number[], left: number, right: number, merged: number): number[] => {
  const result: number[] = [];
  for (let i = 0; i < symbols.length; i++) {
    if (symbols[i] === left && symbols[i + 1] === right) {
      result.push(merged);
      i++;
    } else {
      result.push(symbols[i] as number);
    }
  }
  return result;
};

/** Learns merges from words with their counts; `cut` gives the symbols that a word starts as. */
export const learnMerges = (
  words: ReadonlyMap<string, number>,
  cut: (word: string) => readonly string[],
  options: MergeOptions,
): Merges => new Learner(words, cut, options).learn();
