import type { HookState, WeightArrays, WeightHook } from '../../engine/train-request.ts';
import { stageError } from '../../ground/errors.ts';
import { Masks } from './masks.ts';
import { asScores, type Competition, type Pattern, type Scored } from './patterns/pattern.ts';
import type { Plane } from './plane.ts';
import type { OfGradients, OfWeights, State, Weight } from './saliencies/saliency.ts';
import { riseOf, type Schedule, shareAt } from './schedules/schedule.ts';

/** What goes while a model trains, and when. */
export interface During {
  /** Weights that are pruned together, in the order that decides between equal scores. */
  readonly weights: readonly { readonly name: string; readonly plane: Plane }[];
  readonly saliency: OfWeights | OfGradients;
  readonly pattern: Pattern;
  /** Share of zeros among these weights in the end. */
  readonly sparsity: number;
  readonly compete: Competition;
  readonly schedule: Schedule;
  readonly rounds: number;
  /** Steps between two updates of the masks. */
  readonly every: number;
  readonly seed: number;
}

/** Of what was seen before the last update of the masks so much counts on: weights have moved since. */
const REMEMBERS = 0.9;

const dataOf = (name: string, weights: WeightArrays): Float32Array => {
  const data = weights.get(name);
  if (data !== undefined) return data;
  throw stageError(
    `recovery does not train '${name}', of which sparsity was to make zeros: leave its part out of recover.freeze`,
  );
};

const weightsIn = ({ weights: all }: During, weights: WeightArrays): readonly Weight[] =>
  all.map(({ name, plane }) => ({ name, plane, data: dataOf(name, weights) }));

/** The lowest score below 0; learnt ones may be there. */
const lowest = (scores: readonly Float32Array[]): number => {
  let least = 0;
  for (const one of scores)
    for (let i = 0; i < one.length; i++) if ((one[i] as number) < least) least = one[i] as number;
  return least;
};

const startOf = ({ saliency, weights }: During): ReadonlyMap<string, State> =>
  new Map(saliency.reads === 'weights' ? [] : weights.map((one) => [one.name, saliency.start(one)]));

const fade = (states: Iterable<State>): void => {
  for (const state of states) {
    for (const array of Object.values(state))
      for (let i = 0; i < array.length; i++) array[i] = (array[i] as number) * REMEMBERS;
  }
};

const named = (states: ReadonlyMap<string, State>): HookState =>
  Object.fromEntries(
    Array.from(states, ([name, state]) =>
      Object.entries(state).map(([key, array]) => [`${name}/${key}`, array] as const),
    ).flat(),
  );

/** Cuts in rounds need updates of the masks to be made at. */
const expectRounds = ({ schedule, rounds, every }: During, total: number): void => {
  const { begin, end } = riseOf(total);
  const updates = Math.ceil((end - begin) / every);
  if (schedule.name !== 'rounds' || rounds <= updates) return;
  throw stageError(
    `schedule: rounds makes ${rounds} cuts, but over ${total} steps of recovery masks change ${updates} times (every: ${every}): ` +
      'ask for fewer rounds, a smaller every, or train for longer',
  );
};

/** What a saliency sees of every update until the last zeros are there. */
const watching = (
  options: During,
  saliency: OfGradients,
  states: ReadonlyMap<string, State>,
  masks: Masks,
): NonNullable<WeightHook['gradients']> => ({
  sees: options.weights.map(({ name }) => name),
  wants: (step, total) => step <= riseOf(total).end && step % (saliency.pace?.looks ?? 1) === 0,
  see: (_, seen, gradients) => {
    for (const one of weightsIn(options, seen)) {
      const gradient = gradients.get(one.name);
      if (gradient === undefined) throw new Error(`no gradient of '${one.name}'`);
      saliency.after(states.get(one.name) ?? {}, { weight: masks.whole(one).data, gradient, plane: one.plane });
    }
  },
});

/**
 * Zeros that come while a model trains: after every `every` steps of the rise those numbers go that matter least, as many as the
 * schedule says and where the pattern wants them; between, what is 0 is held at 0. What is gone stays gone, but for saliencies that
 * are learnt: there a number that is masked keeps the value that it had, its score goes on by the gradient at the masked weights
 * (straight-through, Bengio et al. 2013, 1308.3432), and it may come back with that value.
 */
export const pruningDuring = (options: During): WeightHook => {
  const { weights, saliency, schedule, every } = options;
  const names = weights.map(({ name }) => name);
  const learns = saliency.reads === 'gradients' && saliency.during === 'training';
  const states = startOf(options);
  const masks = new Masks(learns ? weights : []);
  /** Room for scores, used again. */
  let scored: readonly Scored[] | undefined;
  const goal = { sparsity: options.sparsity, rounds: options.rounds };
  const scoresOf = async (all: readonly Weight[]): Promise<readonly Float32Array[]> => {
    if (saliency.reads === 'weights') return await Promise.all(all.map((one) => saliency.score(one, options.seed)));
    return all.map((one) => saliency.score(states.get(one.name) ?? {}, one));
  };
  const remove = (one: Weight, gone: Uint8Array): void => {
    if (learns) {
      masks.put(one, gone);
      return;
    }
    if (saliency.reads === 'gradients' && saliency.moved !== undefined)
      one.data.set(saliency.moved(states.get(one.name) ?? {}, one, gone));
    for (let i = 0; i < gone.length; i++) if (gone[i] === 1) one.data[i] = 0;
  };
  const isUpdate = (step: number, total: number): boolean => {
    const { begin, end } = riseOf(total);
    return step === end || (step > begin && step < end && step % every === 0);
  };
  return {
    ...{ sees: names, holds: names, state: { ...named(states), ...masks.state } },
    ...(saliency.reads === 'weights' ? {} : { gradients: watching(options, saliency, states, masks) }),
    start: (_, total, seen) => {
      weightsIn(options, seen);
      expectRounds(options, total);
    },
    wants: isUpdate,
    afterUpdate: async (step, total, seen) => {
      const share = options.sparsity * shareAt(schedule, step, total, goal);
      const shown = weightsIn(options, seen);
      const whole = shown.map((one) => masks.whole(one));
      const scores = await scoresOf(whole);
      const least = learns ? lowest(scores) : 0;
      scored ??= whole.map(({ plane, data }) => ({ plane, scores: new Float32Array(data.length) }));
      for (const [at, one] of whole.entries()) {
        asScores(one.data, scores[at] as Float32Array, scored[at]?.scores ?? new Float32Array(), least);
      }
      const gone = options.pattern.mark(scored, { share, compete: options.compete });
      for (const [at, one] of shown.entries()) remove(one, gone[at] as Uint8Array);
      if (!learns) fade(states.values());
    },
  };
};
