import { type Range, rangeOf } from '../../graph/quantize/range.ts';

/** Bins to each side of zero. */
const BINS = 2 ** 12;

/** Finest bins: smaller numbers count as zeros. */
const SMALLEST = 2 ** -40;

/**
 * How often numbers of each size occur, in bins of one width around zero, in so many bytes however many numbers come. When one
 * lies beyond the last bin, bins are made twice as wide as often as it takes: their width is a power of two, so that the order
 * of numbers does not count.
 */
export class Histogram {
  /** From -limit to limit, that excluded. */
  #counts = new Float64Array(2 * BINS);
  /** A power of two. */
  #limit = SMALLEST;
  #low = 0;
  #high = 0;
  #total = 0;

  add(data: Float32Array): void {
    this.reach(rangeOf(data));
    const [counts, perUnit] = [this.#counts, BINS / this.#limit];
    for (let i = 0; i < data.length; i++) {
      const bin = Math.floor((data[i] as number) * perUnit) + BINS;
      counts[bin] = (counts[bin] as number) + 1;
    }
    this.#total += data.length;
  }

  /** Takes note of numbers that lie within a range and are not there to be counted. */
  reach({ low, high }: Range): void {
    this.#low = Math.min(this.#low, low);
    this.#high = Math.max(this.#high, high);
    while (-low > this.#limit || high >= this.#limit) this.#widen();
  }

  /** Smallest number, zero included. */
  get low(): number {
    return this.#low;
  }

  /** Largest number, zero included. */
  get high(): number {
    return this.#high;
  }

  get total(): number {
    return this.#total;
  }

  /** Of all bins, from the lowest. */
  get counts(): Float64Array {
    return this.#counts;
  }

  /** Width of a bin. */
  get width(): number {
    return this.#limit / BINS;
  }

  /** What the numbers of a bin are about. */
  middleOf(bin: number): number {
    return (bin - BINS + 0.5) * this.width;
  }

  /** Share of numbers outside of a range, to the width of a bin. */
  beyond({ low, high }: Range): number {
    let outside = 0;
    this.#counts.forEach((count, bin) => {
      const x = this.middleOf(bin);
      if (x < low - this.width || x > high + this.width) outside += count;
    });
    return this.#total === 0 ? 0 : outside / this.#total;
  }

  /** Joins bins two by two. */
  #widen(): void {
    const joined = new Float64Array(2 * BINS);
    this.#counts.forEach((count, bin) => {
      const to = BINS / 2 + Math.floor(bin / 2);
      joined[to] = (joined[to] as number) + count;
    });
    this.#counts = joined;
    this.#limit *= 2;
  }
}
