import type { Feeds } from '../../../engine/engine.ts';
import { askedFor, fedGraph, gradientsBy } from '../../../engine/gradient-step.ts';
import { atMost, type CheckRecord, type Finding } from '../check.ts';
import { dataOf, type Learning, learningOf, normals, spread, weightsFor } from '../learning.ts';

const LIMIT = 1e-2;
/** Shares of a weight's size, each half of the one before: large ones see the curve of the loss, small ones rounding. */
const STEPS = [4e-3, 2e-3, 1e-3, 5e-4, 2.5e-4, 1.25e-4];
/** Weights of zeros are moved, too: by so much of what the others are. */
const LEAST_SPREAD = 0.02;

/** The sum of a b in float64. */
const dot = (a: Float32Array, b: Float32Array): number => {
  let sum = 0;
  for (let i = 0; i < b.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
};

/** A direction for all weights together along which each gradient says that the loss rises: none hides another. */
const directionOf = (weights: Feeds, gradients: ReadonlyMap<string, Float32Array>): ReadonlyMap<string, Float32Array> =>
  new Map(
    Object.keys(weights).map((name) => {
      const w = dataOf(name, weights);
      const size = Math.max(spread(w), LEAST_SPREAD);
      const direction = normals(`direction ${name}`, w.length).map((x) => size * x);
      const gradient = gradients.get(name);
      return [name, gradient !== undefined && dot(gradient, direction) < 0 ? direction.map((x) => -x) : direction];
    }),
  );

const moved = (weights: Feeds, direction: ReadonlyMap<string, Float32Array>, by: number): Feeds =>
  Object.fromEntries(
    Object.entries(weights).map(([name, tensor]) => {
      const [w, d] = [dataOf(name, weights), direction.get(name)];
      return [name, { ...tensor, data: w.map((x, i) => x + by * (d?.[i] ?? 0)) }];
    }),
  );

/** dL/dW in all weights, of the sum of y c. */
const gradientsIn = async (learning: Learning, cotangent: Float32Array): Promise<ReadonlyMap<string, Float32Array>> => {
  const { step, graph, feeds, answer } = learning;
  const program = await learning.compile(step.graph);
  try {
    const given = { ...feeds, [step.given]: { ...answer, data: cotangent } };
    const found = await gradientsBy(program, step, graph, given);
    return new Map([...found].map(([name, { data }]) => [name, data.slice()]));
  } finally {
    await program.release();
  }
};

interface Slope {
  /** What the gradients say of the direction. */
  readonly told: number;
  measured(step: number): Promise<number>;
}

const slopeOf = async (
  learning: Learning,
  run: (feeds: Feeds) => Promise<Feeds>,
  output: string,
  cotangent: Float32Array,
): Promise<Slope> => {
  const { step, graph, feeds } = learning;
  const gradients = await gradientsIn(learning, cotangent);
  const weights = weightsFor(step.graph, graph);
  const direction = directionOf(weights, gradients);
  const loss = async (by: number): Promise<number> =>
    dot(dataOf(output, await run({ ...feeds, ...moved(weights, direction, by) })), cotangent);
  return {
    told: [...gradients].reduce((sum, [name, gradient]) => sum + dot(gradient, direction.get(name) ?? gradient), 0),
    measured: async (by) => ((await loss(by)) - (await loss(-by))) / (2 * by),
  };
};

/** Richardson's step from two differences to the limit of ever smaller ones, up to the fourth power of the step. */
const limitOf = (whole: number, half: number): number => (4 * half - whole) / 3;

const compare = async ({ told, measured }: Slope, weights: number): Promise<Finding> => {
  let [least, nearest, before] = [Number.POSITIVE_INFINITY, Number.NaN, Number.NaN];
  for (const step of STEPS) {
    const found = await measured(step);
    for (const slope of [found, limitOf(before, found)]) {
      const difference = Math.abs(slope - told) / Math.max(Math.abs(slope), Math.abs(told), Number.MIN_VALUE);
      if (difference < least) [least, nearest] = [difference, slope];
    }
    if (least <= LIMIT / 4) break;
    before = found;
  }
  const figures = `${told.toPrecision(4)} by ${weights} gradients, ${nearest.toPrecision(4)} by differences`;
  return atMost(least, LIMIT, `slope ${figures}`);
};

/** The slope of a loss along one direction of all weights: by gradients, and by central differences in float64 sums. */
export const differentiate: CheckRecord = {
  name: 'differentiate',
  needs: ['normalise'],
  run: async (patient) => {
    const learning = await learningOf(patient, 'product');
    const output = patient.answer();
    const fed = fedGraph(learning.graph, output);
    const program = await learning.compile(fed);
    const run = (feeds: Feeds): Promise<Feeds> => program.run(askedFor(fed, feeds));
    try {
      const cotangent = normals('cotangent', learning.answer.data.length);
      const slope = await slopeOf(learning, run, fed.outputs[0] ?? output, cotangent);
      return await compare(slope, learning.step.parameters.length);
    } finally {
      await program.release();
    }
  },
};
