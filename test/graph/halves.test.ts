import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import { asHalves, asSingles, type Half, halfWord } from '../../graph/halves.ts';
import { arrayOf, float32Of, tensorOf, vector } from '../../graph/tensor.ts';

/** Every word of a type with the number that it stands for, in rising order; zero once. */
const numbersOf = (dtype: Half): Float32Array => {
  const words = Uint16Array.from({ length: 1 << 16 }, (_, i) => i);
  const singles = float32Of(asSingles({ ...tensorOf('float16', [words.length], words), dtype }));
  return Float32Array.from(new Set(singles.filter(Number.isFinite))).sort();
};

const numberOf = (word: number, dtype: Half): number =>
  float32Of(asSingles({ ...tensorOf('float16', [1], Uint16Array.of(word)), dtype }))[0] ?? Number.NaN;

describe.each(['float16', 'bfloat16'] as const)('a number as a word of %s', (dtype) => {
  const all = numbersOf(dtype);
  const largest = all.at(-1) ?? 0;

  /** The two that a number lies between. */
  const around = (x: number): readonly number[] => {
    let [low, high] = [0, all.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((all[middle] ?? 0) <= x) low = middle;
      else high = middle;
    }
    return [all[low] ?? 0, all[high] ?? 0];
  };

  it('is the nearest there is, of any size', () => {
    const random = stream(1, dtype);
    for (let i = 0; i < 3000; i++) {
      const x = Math.fround(random.normal() * 2 ** (random.integer(40) - 26));
      if (Math.abs(x) >= largest) continue;
      const found = Math.abs(numberOf(halfWord(x, dtype), dtype) - x);
      expect(found).toBe(Math.min(...around(x).map((near) => Math.abs(near - x))));
    }
  });

  it('is the even one of two that are as near', () => {
    for (const first of [0x3c00, 0x3c01, 0x3c02, 0xbc01]) {
      const middle = (numberOf(first, dtype) + numberOf(first + 1, dtype)) / 2;
      expect(halfWord(middle, dtype)).toBe(first % 2 === 0 ? first : first + 1);
    }
  });

  it('is itself where it is one already, and infinite or no number where that is meant', () => {
    for (let word = 0; word < 1 << 16; word += 7) {
      const number = numberOf(word, dtype);
      if (!Number.isNaN(number)) expect(halfWord(number, dtype)).toBe(word);
    }
    expect(numberOf(halfWord(Number.POSITIVE_INFINITY, dtype), dtype)).toBe(Number.POSITIVE_INFINITY);
    expect(numberOf(halfWord(Number.NaN, dtype), dtype)).toBeNaN();
  });
});

describe('tensors in halves', () => {
  it('hold the words of their numbers', () => {
    const numbers = [0.1, -2.7, 65_000, 3e-8];
    const words = arrayOf({ ...asHalves(vector('float32', numbers)), dtype: 'float16' });
    expect([...words]).toEqual(numbers.map((number) => halfWord(number, 'float16')));
  });
});
