import { forEachGroup, MOMENTS, SIZE, SmallMatrix } from './groups.ts';
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

/** Where the product of numbers i and j of a group is, j <= i. */
const pairAt = (index: number, i: number, j: number): number => index * MOMENTS + (i * (i + 1)) / 2 + j;

const fisherOf = (state: State, { plane }: Pick<Weight, 'plane'>): Fisher => {
  const { moments, looks } = momentsOf(state);
  const count = looks[0] || 1;
  let sum = 0;
  forEachGroup(plane, (index, _, __, size) => {
    for (let i = 0; i < size; i++) sum += moments[pairAt(index, i, i)] as number;
  });
  return { moments, count, damping: (DAMPING * sum) / (count * plane.rows * plane.width) || 1 };
};

const momentIn = ({ moments, count, damping }: Fisher, index: number, i: number, j: number): number => {
  const moment = (moments[i < j ? pairAt(index, j, i) : pairAt(index, i, j)] as number) / count;
  return i === j ? moment + damping : moment;
};

/** Numbers of a group, by their places in it. */
interface Places {
  readonly all: Int32Array;
  count: number;
}

/** The part of a group's matrix that these places, which rise, have: its lower half. */
const fill = (matrix: SmallMatrix, { moments, count, damping }: Fisher, index: number, places: Places): void => {
  const { data } = matrix;
  const [size, share] = [places.count, 1 / count];
  matrix.size = size;
  for (let a = 0; a < size; a++) {
    const i = places.all[a] as number;
    const row = index * MOMENTS + (i * (i + 1)) / 2;
    for (let b = 0; b < a; b++) data[a * size + b] = (moments[row + (places.all[b] as number)] as number) * share;
    data[a * size + a] = (moments[row + i] as number) * share + damping;
  }
};

const places = (): Places => ({ all: new Int32Array(SIZE), count: 0 });

/** What stays of each group moved: d = F_RR^-1 F_RQ w_Q. What is 0 already stays so, and where only that goes nothing moves. */
const moveGroups = (fisher: Fisher, { data, plane }: Weight, gone: Uint8Array): void => {
  const [matrix, x, stay, go] = [new SmallMatrix(), new Float64Array(SIZE), places(), places()];
  forEachGroup(plane, (index, base, stride, size) => {
    stay.count = 0;
    go.count = 0;
    for (let i = 0; i < size; i++) {
      const at = base + i * stride;
      if (data[at] === 0) continue;
      const list = gone[at] === 1 ? go : stay;
      list.all[list.count++] = i;
    }
    if (go.count === 0 || stay.count === 0) return;
    fill(matrix, fisher, index, stay);
    for (let a = 0; a < stay.count; a++) {
      let sum = 0;
      for (let b = 0; b < go.count; b++) {
        const q = go.all[b] as number;
        sum += momentIn(fisher, index, stay.all[a] as number, q) * (data[base + q * stride] as number);
      }
      x[a] = sum;
    }
    matrix.solve(x);
    for (let a = 0; a < stay.count; a++) {
      const at = base + (stay.all[a] as number) * stride;
      data[at] = (data[at] as number) + (x[a] as number);
    }
  });
};

/**
 * I(w_q) = w_q^2 / (2 [F^-1]_qq) with F the empirical Fisher matrix of groups of 8 inputs of one output, the mean over texts of g g',
 * and what stays of a group making up for what goes: d = F_RR^-1 F_RQ w_Q (Hassibi and Stork 1993; within groups as Kurtic et al.
 * 2022, oBERT, 2203.07259). What is 0 already makes up for nothing.
 */
export const obs: OfGradients = {
  ...{ name: 'obs', summary: 'change of the loss where weights beside it make up for one', reads: 'gradients' },
  ...{ competes: 'model', during: 'any', pace: { looks: 5, masks: 50 } },
  start: ({ plane: { rows, width } }) => ({
    ...{ moments: new Float32Array(rows * Math.ceil(width / SIZE) * MOMENTS), looks: new Float32Array(1) },
  }),
  after: (state, { gradient, plane }) => {
    const { moments, looks } = momentsOf(state);
    const g = new Float64Array(SIZE);
    forEachGroup(plane, (index, base, stride, size) => {
      let at = index * MOMENTS;
      for (let i = 0; i < size; i++) {
        const own = gradient[base + i * stride] as number;
        g[i] = own;
        for (let j = 0; j <= i; j++, at++) moments[at] = (moments[at] as number) + own * (g[j] as number);
      }
    });
    looks[0] = (looks[0] as number) + 1;
  },
  score: (state, { data, plane }) => {
    const [fisher, scores] = [fisherOf(state, { plane }), new Float32Array(data.length)];
    const [matrix, inverse, all] = [new SmallMatrix(), new Float64Array(SIZE), places()];
    forEachGroup(plane, (index, base, stride, size) => {
      all.count = 0;
      for (let i = 0; i < size; i++) if (data[base + i * stride] !== 0) all.all[all.count++] = i;
      fill(matrix, fisher, index, all);
      matrix.inverseDiagonal(inverse);
      for (let a = 0; a < all.count; a++) {
        const place = base + (all.all[a] as number) * stride;
        scores[place] = (data[place] as number) ** 2 / (2 * (inverse[a] as number));
      }
    });
    return scores;
  },
  moved: (state, { data, plane, name }, gone) => {
    const own = { name, plane, data: data.slice() };
    moveGroups(fisherOf(state, own), own, gone);
    return own.data;
  },
};
