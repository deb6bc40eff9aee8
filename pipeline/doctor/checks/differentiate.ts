import type { Feeds } from '../../../engine/engine.ts';
import { askedFor, fedGraph, gradientsBy } from '../../../engine/gradient-step.ts';
import type { Value } from '../../../graph/graph.ts';
import { atMost, type CheckRecord, type Finding, found } from '../check.ts';
import { dataOf, type Learning, learningOf, normals, spread, weightsFor } from '../learning.ts';
import { isKnown, type Measured, slopeAt, surer } from '../slope.ts';

const LIMIT = 1e-2;
/** A slope is known well enough to this share; where no direction has one, the surest of them counts. */
const ENOUGH = LIMIT / 4;
/** Along one direction a kink may lie nearer than rounding lets anyone see. */
const DIRECTIONS = 4;
/** Weights of zeros are moved, too: by so much of what the others are. */
const LEAST_SPREAD = 0.02;

/** dL/dW by weight. */
type Gradients = ReadonlyMap<string, Float32Array>;

/** The sum of a b in float64. */
const dot = (a: Float32Array, b: Float32Array): number => {
  let sum = 0;
  for (let i = 0; i < b.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
};

/** A direction for all weights together along which each gradient says that the loss rises: none hides another. */
const directionOf = (weights: Feeds, gradients: Gradients, which: number): Gradients =>
  new Map(
    Object.keys(weights).map((name) => {
      const w = dataOf(name, weights);
      const size = Math.max(spread(w), LEAST_SPREAD);
      const direction = normals(`direction ${which} ${name}`, w.length).map((x) => size * x);
      const gradient = gradients.get(name);
      return [name, gradient !== undefined && dot(gradient, direction) < 0 ? direction.map((x) => -x) : direction];
    }),
  );

const moved = (weights: Feeds, direction: Gradients, by: number): Feeds =>
  Object.fromEntries(
    Object.entries(weights).map(([name, tensor]) => {
      const [w, d] = [dataOf(name, weights), direction.get(name)];
      return [name, { ...tensor, data: w.map((x, i) => x + by * (d?.[i] ?? 0)) }];
    }),
  );

const cotangentOf = ({ answer }: Learning): Float32Array => normals('cotangent', answer.data.length);

/** dL/dW in all weights, of the sum of the answer times always the same numbers. */
export const gradientsIn = async (learning: Learning): Promise<Gradients> => {
  const { step, graph, feeds, answer } = learning;
  const program = await learning.compile(step.graph);
  try {
    const given = { ...feeds, [step.given]: { ...answer, data: cotangentOf(learning) } };
    const gradients = await gradientsBy(program, step, graph, given);
    return new Map([...gradients].map(([name, { data }]) => [name, data.slice()]));
  } finally {
    await program.release();
  }
};

interface Slope extends Measured {
  /** What the gradients say of the direction. */
  readonly told: number;
}

const share = (slope: number, of: number): string => `${((100 * slope) / Math.abs(of)).toPrecision(2)} %`;

const compared = ({ told, slope, within }: Slope, weights: number): Finding => {
  const difference = Math.abs(slope - told) / Math.max(Math.abs(slope), Math.abs(told), Number.MIN_VALUE);
  const sure = `${slope.toPrecision(4)} by differences (to ${share(within, slope)})`;
  const figures = `slope ${told.toPrecision(4)} by ${weights} gradients, ${sure}`;
  return isKnown({ slope, within }, LIMIT)
    ? atMost(difference, LIMIT, figures)
    : found(false, `${figures}: rounding or kinks hide the slope`);
};

/** The surest of the slopes along some directions, of the loss as a function of all weights. */
const surest = async (
  gradients: Gradients,
  weights: Feeds,
  loss: (weights: Feeds) => Promise<number>,
): Promise<Slope> => {
  let best: Slope | undefined;
  for (let which = 0; which < DIRECTIONS && !(best !== undefined && isKnown(best, ENOUGH)); which++) {
    const direction = directionOf(weights, gradients, which);
    const told = [...gradients].reduce((sum, [name, one]) => sum + dot(one, direction.get(name) ?? one), 0);
    const slope = { told, ...(await slopeAt((by) => loss(moved(weights, direction, by)), ENOUGH)) };
    if (best === undefined || surer(slope, best)) best = slope;
  }
  return best ?? { told: 0, slope: 0, within: Number.POSITIVE_INFINITY };
};

/** What differences say of gradients: along a direction of all weights, the slope of the loss is what they tell. */
export const judged = async (learning: Learning, output: Value, gradients: Gradients): Promise<Finding> => {
  const { graph, step, feeds } = learning;
  const fed = fedGraph(graph, output);
  const [answer, cotangent] = [fed.outputs[0] ?? output, cotangentOf(learning)];
  const program = await learning.compile(fed);
  try {
    const loss = async (weights: Feeds): Promise<number> =>
      dot(dataOf(answer, await program.run(askedFor(fed, { ...feeds, ...weights }))), cotangent);
    return compared(await surest(gradients, weightsFor(step.graph, graph), loss), gradients.size);
  } finally {
    await program.release();
  }
};

/** The slope of a loss along one direction of all weights: by gradients, and by central differences in float64 sums. */
export const differentiate: CheckRecord = {
  name: 'differentiate',
  needs: ['normalise'],
  run: async (patient) => {
    const learning = await learningOf(patient, 'product');
    return await judged(learning, patient.answer(), await gradientsIn(learning));
  },
};
