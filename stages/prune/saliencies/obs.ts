import { forEachGroup, type Group, MOMENTS, SIZE, solved } from './groups.ts';
import type { OfGradients, State, Weight } from './saliency.ts';

/** Share of the mean of a weight's diagonal that is added to it: what no text moves counts a little. */
const DAMPING = 0.01;

interface Fisher {
  readonly moments: Float32Array;
  readonly count: number;
  readonly damping: number;
}

const momentsOf = ({ moments, looks }: State) => {
  if (moments === undefined || looks === undefined) throw new Error('a state that obs did not start');
  return { moments, looks };
};

const fisherOf = (state: State, { plane }: Pick<Weight, 'plane'>): Fisher => {
  const { moments, looks } = momentsOf(state);
  const count = Math.max(1, looks[0] ?? 1);
  let sum = 0;
  forEachGroup(plane, ({ index, size }) => {
    for (let i = 0, at = index * MOMENTS; i < size; i++, at++) {
      at += i;
      sum += moments[at] as number;
    }
  });
  return { moments, count, damping: (DAMPING * sum) / (count * plane.rows * plane.width) || 1 };
};

/** The matrix of one group, row by row. */
const blockOf = ({ moments, count, damping }: Fisher, { index, size }: Group): Float64Array => {
  const f = new Float64Array(size * size);
  for (let i = 0, at = index * MOMENTS; i < size; i++) {
    for (let j = 0; j <= i; j++, at++) {
      const moment = (moments[at] as number) / count + (i === j ? damping : 0);
      f[i * size + j] = moment;
      f[j * size + i] = moment;
    }
  }
  return f;
};

/** Diagonal of the inverse, one right side after the other. */
const inverseDiagonal = (f: Float64Array, size: number): Float64Array =>
  Float64Array.from({ length: size }, (_, i) => {
    const unit = new Float64Array(size);
    unit[i] = 1;
    return solved(f, unit)[i] as number;
  });

/** What those of a group that stay move by: F_RR d = F_RQ w_Q. */
const movesOf = (f: Float64Array, w: Float64Array, gone: readonly number[], stay: readonly number[]): Float64Array => {
  const { length: size } = w;
  const among = Float64Array.from(stay.flatMap((i) => stay.map((j) => f[i * size + j] as number)));
  const right = Float64Array.from(stay, (i) =>
    gone.reduce((sum, j) => sum + (f[i * size + j] as number) * (w[j] as number), 0),
  );
  return solved(among, right);
};

const moveGroup = (fisher: Fisher, group: Group, data: Float32Array, gone: Uint8Array): void => {
  const { base, stride, size } = group;
  const places = Array.from({ length: size }, (_, i) => i);
  const isGone = (i: number): boolean => gone[base + i * stride] === 1;
  const [going, stay] = [places.filter(isGone), places.filter((i) => !isGone(i))];
  if (going.length === 0 || stay.length === 0) return;
  const w = Float64Array.from(places, (i) => data[base + i * stride] as number);
  const moves = movesOf(blockOf(fisher, group), w, going, stay);
  for (const [m, i] of stay.entries()) data[base + i * stride] = (w[i] as number) + (moves[m] as number);
};

/**
 * I(w_q) = w_q^2 / (2 [F^-1]_qq) with F the empirical Fisher matrix of groups of 8 inputs of one output, the mean over texts of g g',
 * and what stays of a group making up for what goes: d = F_RR^-1 F_RQ w_Q (Hassibi and Stork 1993; within groups as Kurtic et al.
 * 2022, oBERT, 2203.07259).
 */
export const obs: OfGradients = {
  ...{ name: 'obs', summary: 'change of the loss where weights beside it make up for one', reads: 'gradients' },
  ...{ competes: 'model', during: 'any' },
  start: ({ plane: { rows, width } }) => ({
    ...{ moments: new Float32Array(rows * Math.ceil(width / SIZE) * MOMENTS), looks: new Float32Array(1) },
  }),
  after: (state, { gradient, plane }) => {
    const { moments, looks } = momentsOf(state);
    forEachGroup(plane, ({ index, base, stride, size }) => {
      for (let i = 0, at = index * MOMENTS; i < size; i++) {
        const g = gradient[base + i * stride] as number;
        for (let j = 0; j <= i; j++, at++) {
          moments[at] = (moments[at] as number) + g * (gradient[base + j * stride] as number);
        }
      }
    });
    looks[0] = (looks[0] as number) + 1;
  },
  score: (state, { data, plane }) => {
    const [fisher, scores] = [fisherOf(state, { plane }), new Float32Array(data.length)];
    forEachGroup(plane, (group) => {
      const { base, stride, size } = group;
      const inverse = inverseDiagonal(blockOf(fisher, group), size);
      for (let i = 0; i < size; i++) {
        const place = base + i * stride;
        scores[place] = (data[place] as number) ** 2 / (2 * (inverse[i] as number));
      }
    });
    return scores;
  },
  moved: (state, { data, plane }, gone) => {
    const [fisher, moved] = [fisherOf(state, { plane }), data.slice()];
    forEachGroup(plane, (group) => moveGroup(fisher, group, moved, gone));
    return moved;
  },
};
