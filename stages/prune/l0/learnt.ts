import type { Gated } from '../../../engine/gated.ts';
import type { Loss } from '../../../engine/losses/loss.ts';
import type { TrainRequest, WeightArrays, WeightHook } from '../../../engine/train-request.ts';
import { type Graph, value } from '../../../graph/graph.ts';
import { riseOf } from '../schedules/schedule.ts';
import { type Choice, isPart } from './choice.ts';
import { constraintLoss, MULTIPLIERS } from './constraint.ts';
import { decided, type Open, scoresIn } from './decided.ts';
import { gatesName, OPEN } from './gates.ts';
import { competing, constraintOf, groupsOf, type Learning } from './groups.ts';
import { layerGates } from './layers.ts';
import { unitGates } from './units.ts';
import { type WidthGates, widthGates } from './widths.ts';

/** Highest rates of gates (as CoFi's appendix has it) and of multipliers, which follow more slowly. */
const RATE = 0.1;
const MULTIPLIER_RATE = 0.02;

/** log a - OPEN of gates that are decided: no chance opens or closes them. */
const DECIDED = 25;

/** What became of a choice: units that stay, and how open each gate was before it was decided. */
export interface Chosen {
  readonly kept: readonly number[];
  readonly open: Float64Array;
}

/** What training is asked besides, and what comes of it. */
export interface LearntGates {
  readonly gates: NonNullable<TrainRequest['gates']>;
  readonly loss: Loss;
  readonly hook: WeightHook;
  /** Once gates are decided. */
  chosen(): ReadonlyMap<Choice, Chosen>;
}

const openness = (learnt: Float32Array): Float64Array =>
  Float64Array.from(learnt, (a) => 1 / (1 + Math.exp(-(a + OPEN))));

const arrayOf = (choice: Choice, weights: WeightArrays): Float32Array => {
  const array = weights.get(gatesName(choice));
  if (array === undefined) throw new Error(`the gates of ${choice.name} are not trained`);
  return array;
};

/** Gates decided: what stays is all open and what goes all closed, for the rest of training. */
const decide = (learning: Learning, weights: WeightArrays, open: Open): void => {
  for (const choice of learning.choices) open.get(choice)?.set(openness(arrayOf(choice, weights)));
  for (const [choice, kept] of decided(learning, open)) {
    const array = arrayOf(choice, weights).fill(-DECIDED);
    for (const unit of kept) array[unit] = DECIDED;
  }
};

/** What goes on in the model: statistics and weights first, then layers that may be passed by, then what is masked. */
const gatesOn = (graph: Graph, { choices, seed }: Learning): readonly Gated[] => {
  const widths: WidthGates[] = [];
  const [layers, units]: [Gated[], Gated[]] = [[], []];
  for (const choice of choices) {
    const { of } = choice;
    if (!isPart(of)) layers.push(...layerGates(of, choice, seed));
    else if (competing.has(of.kind)) units.push(...unitGates(graph, of, seed));
    else widths.push(widthGates(graph, of, seed));
  }
  return [...widths.flatMap(({ first }) => first), ...layers, ...widths.flatMap(({ masked }) => masked), ...units];
};

/**
 * Gates on heads, neurons, channels of the stream and layers that are learnt while the model trains: each is multiplied by a sample of its
 * hard concrete distribution, and a Lagrangian draws as many of them shut as are asked for (Louizos et al. 2018, 1712.01312; Xia et al.
 * 2022, CoFi, 2204.00408). Behind four fifths of training the gates are decided, to the very count; the rest trains what is left.
 */
export const learntGates = (graph: Graph, learning: Learning): LearntGates => {
  const { choices } = learning;
  const constraints = groupsOf(learning).map((group) => constraintOf(group, learning));
  const names = choices.map(gatesName);
  const open = new Map(choices.map((choice) => [choice, new Float64Array(choice.count)]));
  const kept = new Map<Choice, readonly number[]>();
  const look = (weights: WeightArrays): void => {
    for (const choice of choices) {
      const array = arrayOf(choice, weights);
      kept.set(
        choice,
        Array.from(array.keys()).filter((unit) => (array[unit] as number) > 0),
      );
    }
  };
  return {
    gates: {
      all: gatesOn(graph, learning),
      factors: new Map([
        ...names.map((name) => [value(name), RATE / learning.learningRate] as const),
        ...MULTIPLIERS.map((name) => [value(name), MULTIPLIER_RATE / learning.learningRate] as const),
      ]),
    },
    loss: constraintLoss(constraints),
    hook: {
      sees: names,
      state: Object.fromEntries(Array.from(open, ([choice, array]) => [`${gatesName(choice)}/open`, array])),
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
      new Map(choices.map((choice) => [choice, { kept: kept.get(choice) ?? [], open: scoresIn(open, choice) }])),
  };
};
