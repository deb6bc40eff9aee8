import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addDims,
  bindDim,
  type Dim,
  divideDims,
  multiplyDims,
  productOf,
  subtractDims,
  symbol,
} from '../../graph/dim.ts';

const batch = symbol('batch');
const sequence = symbol('sequence');

const dims: fc.Arbitrary<Dim> = fc.letrec<{ dim: Dim }>((tie) => ({
  dim: fc.oneof(
    { depthSize: 'small' },
    fc.integer({ min: 0, max: 9 }),
    fc.constantFrom<Dim>(batch, sequence),
    fc.tuple(tie('dim'), tie('dim')).map(([a, b]) => addDims(a, b)),
    fc.tuple(tie('dim'), tie('dim')).map(([a, b]) => multiplyDims(a, b)),
  ),
})).dim;

const at = (dim: Dim, b: number, s: number): Dim => bindDim(dim, { batch: b, sequence: s });

describe('symbolic dimensions', () => {
  it('are written canonically', () => {
    expect(addDims(multiplyDims(2, sequence), 1)).toBe('2*sequence+1');
    expect(multiplyDims(sequence, batch)).toBe('batch*sequence');
    expect(subtractDims(sequence, sequence)).toBe(0);
    expect(subtractDims(1, batch)).toBe('-batch+1');
    expect(productOf([batch, 4, sequence])).toBe('4*batch*sequence');
  });

  it('divide exactly or not at all', () => {
    expect(divideDims(multiplyDims(multiplyDims(8, batch), sequence), batch)).toBe('8*sequence');
    expect(divideDims(addDims(sequence, 1), 2)).toBeUndefined();
    expect(divideDims(6, 4)).toBeUndefined();
  });

  it('keep operators out of names', () => {
    expect(symbol('past+1')).toBe('past_1');
    expect(bindDim(symbol('0'), { _0: 3 })).toBe(3);
  });

  it('compute what the numbers they stand for compute', () => {
    const small = fc.integer({ min: 1, max: 7 });
    fc.assert(
      fc.property(dims, dims, small, small, (x, y, b, s) => {
        expect(at(addDims(x, y), b, s)).toBe(addDims(at(x, b, s), at(y, b, s)));
        expect(at(multiplyDims(x, y), b, s)).toBe(multiplyDims(at(x, b, s), at(y, b, s)));
        expect(at(subtractDims(x, y), b, s)).toBe(subtractDims(at(x, b, s), at(y, b, s)));
      }),
    );
  });

  it('are equal as text when they are equal as polynomials', () => {
    fc.assert(
      fc.property(dims, dims, dims, (x, y, z) => {
        expect(multiplyDims(x, addDims(y, z))).toBe(addDims(multiplyDims(x, y), multiplyDims(x, z)));
        expect(addDims(x, y)).toBe(addDims(y, x));
      }),
    );
  });
});
