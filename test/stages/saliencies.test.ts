import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { damped, inOrder } from '../../engine/layerwise/factor.ts';
import { openRefiner, refined } from '../../engine/layerwise/refine.ts';
import { patternOf } from '../../stages/prune/patterns/index.ts';
import { fisher } from '../../stages/prune/saliencies/fisher.ts';
import { magnitude } from '../../stages/prune/saliencies/magnitude.ts';
import { obs } from '../../stages/prune/saliencies/obs.ts';
import type { OfGradients, State, Walked, Walker, Weight } from '../../stages/prune/saliencies/saliency.ts';
import { sparsegpt } from '../../stages/prune/saliencies/sparsegpt.ts';
import { taylor } from '../../stages/prune/saliencies/taylor.ts';
import { wanda } from '../../stages/prune/saliencies/wanda.ts';
import { Quota } from '../../stages/prune/zeros.ts';

const matrix = z.array(z.array(z.number()));
const golden = z
  .object({
    ...{ inputs: matrix, weight: matrix, gradients: matrix },
    ...{ magnitude: matrix, wanda: matrix, taylor: matrix, fisher: matrix, obs: matrix, obsMoved: matrix },
    sparsegpt: z.object({ half: matrix, twoOfFour: matrix, wide: matrix }),
    reconstructed: matrix,
  })
  .parse(JSON.parse(readFileSync(new URL('../golden/saliencies.json', import.meta.url), 'utf8')));

type Matrix = readonly (readonly number[])[];

/** Scores are sums of float32 numbers. */
const RELATIVE = 2e-5;
/** Weights that make up for others are differences of numbers a hundred times as large, in float32. */
const ABSOLUTE = 2e-3;

const flat = (rows: Matrix): number[] => rows.flat();
const [outputs, inputs] = [golden.weight.length, golden.weight[0]?.length ?? 0];
const signal = new AbortController().signal;

/** The weight kept as (inputs, outputs), as most graphs have it, or the other way round. */
const weightKept = (turned: boolean): Weight => ({
  ...{ name: 'w', data: Float32Array.from(kept(golden.weight, turned)) },
  plane: { rows: outputs, width: inputs, turned },
});

const kept = (rows: Matrix, turned: boolean): number[] =>
  turned ? Array.from({ length: inputs }, (_, i) => rows.map((row) => row[i] ?? Number.NaN)).flat() : flat(rows);

const expectNear = (found: ArrayLike<number>, expected: readonly number[], absolute = 0): void => {
  expect(found).toHaveLength(expected.length);
  for (const [i, one] of expected.entries()) {
    expect(Math.abs((found[i] ?? Number.NaN) - one)).toBeLessThanOrEqual(absolute + RELATIVE * Math.abs(one));
  }
};

const rowOf = (text: readonly number[]): Matrix =>
  Array.from({ length: outputs }, (_, row) => text.slice(row * inputs, (row + 1) * inputs));

const seenBy = (saliency: OfGradients, weight: Weight): State => {
  const state = saliency.start(weight);
  const { data, plane } = weight;
  for (const text of golden.gradients) {
    saliency.after(state, { weight: data, plane, gradient: Float32Array.from(kept(rowOf(text), plane.turned)) });
  }
  return state;
};

describe.each([true, false])('of a matrix that is turned: %s', (turned) => {
  const weight = weightKept(turned);

  it('magnitude is the size of a weight', async () =>
    expectNear(await magnitude.score(weight, 1), kept(golden.magnitude, turned)));

  it('wanda is that times the norm of the input', () => {
    const squares = Float64Array.from({ length: inputs }, (_, i) =>
      golden.inputs.reduce((sum, text) => sum + (text[i] ?? Number.NaN) ** 2, 0),
    );
    expectNear(wanda.score(weight, squares), kept(golden.wanda, turned));
  });

  it.each([
    [taylor, golden.taylor],
    [fisher, golden.fisher],
    [obs, golden.obs],
  ])('$name is what PyTorch computes of the gradients of each text', (saliency, expected) =>
    expectNear(saliency.score(seenBy(saliency, weight), weight), kept(expected, turned)),
  );

  it('what stays of a group makes up for all of it that goes, as the surgeon has it', () => {
    const state = seenBy(obs, weight);
    const scored = { plane: weight.plane, scores: obs.score(state, weight) };
    const [gone = new Uint8Array()] = patternOf('free').mark([scored], { share: 0.4, compete: 'matrix' });
    const moved = obs.moved?.(state, weight, gone) ?? new Float32Array();
    expectNear(
      moved.map((w, i) => (gone[i] === 1 ? 0 : w)),
      kept(golden.obsMoved, turned),
      ABSOLUTE,
    );
  });
});

const gramOf = (x: Matrix, width: number): Float64Array => {
  const gram = new Float64Array(width * width);
  for (const row of x) {
    for (let i = 0; i < width; i++) {
      for (let j = 0; j < width; j++) gram[i * width + j] = (gram[i * width + j] ?? 0) + (row[i] ?? 0) * (row[j] ?? 0);
    }
  }
  return gram;
};

const walkedOf = (weight: Matrix, x: Matrix): Walked => {
  const width = weight[0]?.length ?? 0;
  return { rows: weight.length, width, data: Float32Array.from(flat(weight)), products: gramOf(x, width) };
};

/** As the recipe makes what is too wide for a file. */
const wide = (rows: number, columns: number, step: number): Matrix =>
  Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_unused, j) => Math.sin(1 + step * i * (j + 1) + j * j)),
  );

describe('SparseGPT', () => {
  let walker: Walker;
  beforeAll(async () => {
    walker = await sparsegpt.open(cpuEngine, 1);
  });
  afterAll(() => walker.release());

  const small = walkedOf(golden.weight, golden.inputs);

  it.each([
    ['half of a matrix', 'free', small, golden.sparsegpt.half],
    ['2 of 4 inputs', '2:4', small, golden.sparsegpt.twoOfFour],
    [
      'half of each stretch of inputs',
      'free',
      walkedOf(wide(6, 160, 0.7), wide(200, 160, 0.37)),
      golden.sparsegpt.wide,
    ],
  ])('clears %s as the paper does', async (_, text, walked, expected) => {
    const asked = { pattern: patternOf(text), quota: new Quota(0.5), compete: 'matrix' } as const;
    const thinned = await walker.thin(walked, asked, signal);
    expect([...thinned].map((w) => w === 0)).toEqual(flat(expected).map((w) => w === 0));
    expectNear(thinned, flat(expected), ABSOLUTE);
  });

  it('lets nothing come back that was 0 before', async () => {
    const data = small.data.map((w, i) => (i % 3 === 0 ? 0 : w));
    const asked = { pattern: patternOf('free'), quota: new Quota(0.5), compete: 'row' } as const;
    const thinned = await walker.thin({ ...small, data }, asked, signal);
    expect(thinned.every((w, i) => i % 3 !== 0 || w === 0)).toBe(true);
    expect(thinned.filter((w) => w === 0)).toHaveLength(thinned.length / 2);
  });
});

describe('reconstruction', () => {
  it('moves what stays to the least squares that PyTorch solves', async () => {
    const { rows, width, data, products } = walkedOf(golden.weight, golden.inputs);
    const least = data.map(Math.abs).sort()[data.length / 2] ?? 0;
    const start = data.map((w) => (Math.abs(w) < least ? 0 : w));
    const refiner = await openRefiner(cpuEngine, 1);
    const sum = Float32Array.from(damped(products, width, inOrder(width), 0.01));
    const found = await refined(refiner, { rows, width, dense: data, start, products: sum }, signal);
    await refiner.release();
    expectNear(found, flat(golden.reconstructed), ABSOLUTE);
  });
});
