import type { Loss } from '../../../engine/losses/loss.ts';
import type { TrainRequest, WeightArrays, WeightHook } from '../../../engine/train-request.ts';
import { type Graph, value } from '../../../graph/graph.ts';
import type { Part } from '../../../models/anatomy.ts';
import { riseOf } from '../schedules/schedule.ts';
import { selectGlobal, selectTop } from '../select.ts';
import type { Goal } from '../targets.ts';
import { type Constraint, constraintLoss, MULTIPLIERS } from './constraint.ts';
import { gatedBy, gatesName, OPEN, openIn } from './gates.ts';

/** Highest rates of gates (as CoFi's appendix has it) and of multipliers, which follow more slowly. */
const RATE = 0.1;
const MULTIPLIER_RATE = 0.02;

/** When the target begins to fall, and when it is reached: gates then have until the end of the rise to decide. */
const FALLS = [0.1, 0.6] as const;

/** Neurons that go or stay together where layers compete, so that widths remain multiples that kernels like. */
const NEURON_BLOCK = 8;

/** log a - OPEN of gates that are decided: no chance opens or closes them. */
const DECIDED = 25;

export interface Learning {
  readonly goals: readonly Goal[];
  readonly scope: 'layer' | 'global';
  readonly seed: number;
  readonly learningRate: number;
}

/** What training is asked besides, and what comes of it. */
export interface LearntGates {
  readonly gates: NonNullable<TrainRequest['gates']>;
  readonly loss: Loss;
  readonly hook: WeightHook;
  /** Units that stay, and how sure that was, once gates are decided. */
  chosen(): ReadonlyMap<Part, { readonly kept: readonly number[]; readonly open: Float64Array }>;
}

/** Parts that are counted together: each alone, or all of a kind. */
const groupsOf = ({ goals, scope }: Learning): readonly (readonly Goal[])[] => {
  if (scope === 'layer') return goals.map((goal) => [goal]);
  const kinds = [...new Set(goals.map(({ part }) => part.kind))];
  return kinds.map((kind) => goals.filter(({ part }) => part.kind === kind));
};

const constraintOf = (group: readonly Goal[]): Constraint => {
  const sum = (of: (goal: Goal) => number): number => group.reduce((total, goal) => total + of(goal), 0);
  const share = sum(({ kept }) => kept) / sum(({ part }) => part.count);
  const [begin, end] = FALLS;
  return {
    name: group.map(({ part }) => part.name).join(', '),
    open: (scope) => group.map(({ part }) => openIn(scope, part)),
    target: (done) => 1 - (1 - share) * Math.min(1, Math.max(0, (done - begin) / (end - begin))),
  };
};

const openness = (learnt: Float32Array): Float64Array =>
  Float64Array.from(learnt, (a) => 1 / (1 + Math.exp(-(a + OPEN))));

/** The very counts that were asked for: the most open units of each part, or over all parts of a kind. */
const decided = (learning: Learning, open: ReadonlyMap<Part, Float64Array>): ReadonlyMap<Part, readonly number[]> => {
  const scores = (part: Part): Float64Array => open.get(part) ?? new Float64Array(part.count);
  if (learning.scope === 'layer')
    return new Map(learning.goals.map(({ part, kept }) => [part, selectTop(scores(part), kept)]));
  return new Map(
    groupsOf(learning).flatMap((group) => {
      const kept = group.reduce((sum, goal) => sum + goal.kept, 0);
      const whole = group.every((goal) => goal.part.kind === 'ffn' && goal.kept % NEURON_BLOCK === 0);
      const all = new Map(group.map(({ part }) => [part, scores(part)]));
      return [...selectGlobal(all, kept, whole ? NEURON_BLOCK : 1, 'as they are')];
    }),
  );
};

const arrayOf = (part: Part, weights: WeightArrays): Float32Array => {
  const array = weights.get(gatesName(part));
  if (array === undefined) throw new Error(`the gates of ${part.name} are not trained`);
  return array;
};

/** Gates decided: what stays is all open and what goes all closed, for the rest of training. */
const decide = (learning: Learning, weights: WeightArrays, open: ReadonlyMap<Part, Float64Array>): void => {
  for (const { part } of learning.goals) open.get(part)?.set(openness(arrayOf(part, weights)));
  for (const [part, kept] of decided(learning, open)) {
    const array = arrayOf(part, weights).fill(-DECIDED);
    for (const unit of kept) array[unit] = DECIDED;
  }
};

/**
 * Gates on heads and neurons that are learnt while the model trains: each is multiplied by a sample of its hard concrete
 * distribution, and a Lagrangian draws as many of them shut as are asked for (Louizos et al. 2018, 1712.01312; Xia et al. 2022, CoFi,
 * 2204.00408). Behind four fifths of training the gates are decided, to the very count; the rest trains what is left.
 */
export const learntGates = (graph: Graph, learning: Learning): LearntGates => {
  const parts = learning.goals.map(({ part }) => part);
  const constraints = groupsOf(learning).map(constraintOf);
  const names = parts.map(gatesName);
  const open = new Map(parts.map((part) => [part, new Float64Array(part.count)]));
  const kept = new Map<Part, readonly number[]>();
  const look = (weights: WeightArrays): void => {
    for (const part of parts) {
      const array = arrayOf(part, weights);
      kept.set(
        part,
        Array.from(array.keys()).filter((unit) => (array[unit] as number) > 0),
      );
    }
  };
  return {
    gates: {
      all: parts.flatMap((part) => gatedBy(graph, part, learning.seed)),
      factors: new Map([
        ...names.map((name) => [value(name), RATE / learning.learningRate] as const),
        ...MULTIPLIERS.map((name) => [value(name), MULTIPLIER_RATE / learning.learningRate] as const),
      ]),
    },
    loss: constraintLoss(constraints),
    hook: {
      sees: names,
      state: Object.fromEntries(Array.from(open, ([part, array]) => [`${gatesName(part)}/open`, array])),
      start: (step, total, weights) => {
        if (step >= riseOf(total).end) look(weights);
      },
      wants: (step, total) => step === riseOf(total).end,
      afterUpdate: (_, __, weights) => {
        decide(learning, weights, open);
        look(weights);
      },
    },
    chosen: () =>
      new Map(
        parts.map((part) => [
          part,
          { kept: kept.get(part) ?? [], open: open.get(part) ?? new Float64Array(part.count) },
        ]),
      ),
  };
};
