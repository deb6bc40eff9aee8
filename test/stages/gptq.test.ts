import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { inverseFactor } from '../../engine/layerwise/factor.ts';
import { type Grid, type Rounded, type Rows, widened } from '../../graph/quantize/grid.ts';
import { nearest } from '../../graph/quantize/nearest.ts';
import { gptq } from '../../stages/quantize/roundings/gptq.ts';
import { roundings } from '../../stages/quantize/roundings/index.ts';
import type { Rounding, Subject } from '../../stages/quantize/roundings/rounding.ts';

const signal = new AbortController().signal;

/** Rows of inputs that go together: sums of a few causes, and some noise. */
const inputsOf = (rows: number, width: number): Float32Array => {
  const random = stream(2, 'inputs');
  const causes = Array.from({ length: 12 }, () => Float32Array.from({ length: width }, () => random.normal()));
  const data = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const weights = causes.map(() => random.normal());
    for (let i = 0; i < width; i++) {
      const common = causes.reduce((sum, cause, c) => sum + (cause[i] ?? 0) * (weights[c] ?? 0), 0);
      data[row * width + i] = common + 0.3 * random.normal();
    }
  }
  return data;
};

const gramOf = (x: Float32Array, width: number): Float64Array => {
  const gram = new Float64Array(width * width);
  for (let start = 0; start < x.length; start += width) {
    for (let i = 0; i < width; i++) {
      for (let j = 0; j < width; j++) {
        gram[i * width + j] = (gram[i * width + j] ?? 0) + (x[start + i] ?? 0) * (x[start + j] ?? 0);
      }
    }
  }
  return gram;
};

/** Squared error of all outputs: sum of (w - v)' H (w - v). */
const outputError = (rows: Rows, near: Float32Array, gram: Float64Array): number => {
  let error = 0;
  for (let row = 0; row < rows.rows; row++) {
    const off = Array.from({ length: rows.width }, (_, i) => {
      const at = row * rows.width + i;
      return (rows.data[at] ?? 0) - (near[at] ?? 0);
    });
    for (let i = 0; i < rows.width; i++) {
      for (let j = 0; j < rows.width; j++) error += (off[i] ?? 0) * (gram[i * rows.width + j] ?? 0) * (off[j] ?? 0);
    }
  }
  return error;
};

const matrix = (rows: number, width: number): Rows => {
  const random = stream(3, 'matrix');
  return { rows, width, data: Float32Array.from({ length: rows * width }, () => random.normal()) };
};

describe('the factor of an inverse', () => {
  it("is upper triangular, and U'U H is the identity", () => {
    const width = 24;
    const h = gramOf(inputsOf(80, width), width);
    const u = inverseFactor(h, width);
    if (u === undefined) throw new Error('H is positive definite');
    const at = (m: Float64Array, i: number, j: number): number => m[i * width + j] ?? Number.NaN;
    for (let i = 0; i < width; i++) {
      for (let j = 0; j < i; j++) expect(at(u, i, j)).toBe(0);
      for (let j = 0; j < width; j++) {
        let sum = 0;
        for (let k = 0; k < width; k++) {
          let inner = 0;
          for (let l = 0; l < width; l++) inner += at(u, l, i) * at(u, l, k);
          sum += inner * at(h, k, j);
        }
        expect(sum).toBeCloseTo(i === j ? 1 : 0, 6);
      }
    }
  });

  it('is none of a matrix that is not positive definite', () => {
    expect(inverseFactor(Float64Array.of(1, 2, 2, 1), 2)).toBeUndefined();
  });
});

const roundedBy = async (rounding: Rounding, subject: Subject): Promise<Rounded> => {
  if (!rounding.readsInputs) return rounding.rows(subject.rows, subject.grid);
  const rounder = await rounding.open(cpuEngine, 1);
  try {
    return await rounder.round(subject, signal);
  } finally {
    await rounder.release();
  }
};

describe.each(roundings)('the rounding $name', (rounding) => {
  const rows = matrix(16, 300);
  const products = gramOf(inputsOf(600, 300), 300);

  it.each([
    { bits: 4, block: 32, zeroPoint: true },
    { bits: 4, block: 128, zeroPoint: false },
    { bits: 8, block: 16, zeroPoint: true },
  ] as const)('gives whole numbers within their bits, near what they stand for: %o', async (grid) => {
    const rounded = await roundedBy(rounding, { rows, grid, products });
    expect(Math.max(...rounded.codes)).toBeLessThan(2 ** grid.bits);
    const near = widened(rows, grid, rounded);
    const squares = (data: Float32Array): number => data.reduce((sum, x) => sum + x * x, 0);
    const off = squares(rows.data.map((x, i) => x - (near[i] ?? Number.NaN))) / squares(rows.data);
    expect(off).toBeLessThan(grid.bits === 8 ? 1e-3 : 0.05);
  });
});

describe('GPTQ', () => {
  // Several stretches, the last one shorter.
  const width = 300;
  const grid: Grid = { bits: 4, block: 32, zeroPoint: true };
  const rows = matrix(16, width);
  const gram = gramOf(inputsOf(600, width), width);

  const round = async () => {
    const rounder = await gptq.open(cpuEngine, 1);
    try {
      return await rounder.round({ rows, grid, products: gram }, signal);
    } finally {
      await rounder.release();
    }
  };

  it('errs far less in outputs than each number for itself', async () => {
    const before = outputError(rows, widened(rows, grid, nearest(rows, grid, { search: true })), gram);
    const after = outputError(rows, widened(rows, grid, await round()), gram);
    expect(after).toBeLessThan(0.5 * before);
  });

  it('gives the same bytes again', async () => {
    const [first, second] = [await round(), await round()];
    expect(first).toEqual(second);
  });

  it('stops when it is told to', async () => {
    const rounder = await gptq.open(cpuEngine, 1);
    const stopped = AbortSignal.abort(new Error('stopped'));
    await expect(rounder.round({ rows, grid, products: gram }, stopped)).rejects.toThrow('stopped');
    await rounder.release();
  });
});
