import type { StepScope } from '../../../engine/losses/loss.ts';
import type { Value } from '../../../graph/graph.ts';
import type { PartKind } from '../../../models/anatomy.ts';
import { type Choice, isPart, partIn } from './choice.ts';
import type { Constraint } from './constraint.ts';
import { openIn } from './gates.ts';

/** When the target begins to fall, and when it is reached: gates then have until the end of the rise to decide. */
const FALLS = [0.1, 0.6] as const;

export interface Learning {
  readonly choices: readonly Choice[];
  readonly scope: 'layer' | 'global';
  readonly seed: number;
  readonly learningRate: number;
}

/** Kinds of which layers compete with each other where they may; a width is one for all layers. */
export const competing: ReadonlySet<PartKind> = new Set<PartKind>(['heads', 'ffn']);

/** Choices that are counted together: each alone, or all of a kind. */
export const groupsOf = ({ choices, scope }: Learning): readonly (readonly Choice[])[] => {
  const kindOf = (choice: Choice): PartKind | undefined => {
    const kind = partIn(choice)?.kind;
    return scope === 'global' && kind !== undefined && competing.has(kind) ? kind : undefined;
  };
  const kinds = [...new Set(choices.map(kindOf))];
  return kinds.flatMap((kind) => {
    const own = choices.filter((choice) => kindOf(choice) === kind);
    return kind === undefined ? own.map((choice) => [choice]) : [own];
  });
};

/** The layers, where it is learnt which of them go. */
export const layersIn = ({ choices }: Pick<Learning, 'choices'>): Choice | undefined =>
  choices.find(({ of }) => !isPart(of));

/** The gate of the layer that a part goes with, where layers are learnt and it belongs to one alone. */
const gateAround = (layers: Choice | undefined, choice: Choice): number => {
  const [own, ...more] = partIn(choice)?.layers ?? [];
  if (layers === undefined || isPart(layers.of) || own === undefined || more.length > 0) return -1;
  return layers.of.findIndex(({ index }) => index === own);
};

/** What each gate counts; of units that compete over layers nothing where their layer goes. */
const countedOpen = (scope: StepScope, choice: Choice, around: Choice | undefined): Value => {
  const { builder } = scope;
  const own = openIn(scope, choice);
  const at = gateAround(around, choice);
  if (around === undefined || at < 0) return own;
  const layer = builder.op('Gather', [openIn(scope, around), builder.ints([at])], { axis: 0 });
  return builder.op('Mul', [own, layer]);
};

export const constraintOf = (group: readonly Choice[], learning: Learning): Constraint => {
  const layers = layersIn(learning);
  const around = learning.scope === 'global' ? layers : undefined;
  const sum = (of: (choice: Choice) => number): number => group.reduce((total, choice) => total + of(choice), 0);
  const stay = (choice: Choice): number =>
    around === undefined || gateAround(around, choice) < 0 ? 1 : around.kept / around.count;
  const share = sum((choice) => choice.kept * stay(choice)) / sum(({ count }) => count);
  const [begin, end] = FALLS;
  return {
    name: group.map(({ name }) => name).join(', '),
    open: (scope) => group.map((choice) => countedOpen(scope, choice, around)),
    target: (done) => 1 - (1 - share) * Math.min(1, Math.max(0, (done - begin) / (end - begin))),
  };
};
