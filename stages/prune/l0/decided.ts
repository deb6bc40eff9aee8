import { selectGlobal, selectTop } from '../select.ts';
import { type Choice, isPart, partIn } from './choice.ts';
import { groupsOf, type Learning, layersIn } from './groups.ts';

/** Neurons that go or stay together where layers compete, so that widths remain multiples that kernels like. */
const NEURON_BLOCK = 8;

export type Open = ReadonlyMap<Choice, Float64Array>;

export const scoresIn = (open: Open, choice: Choice): Float64Array =>
  open.get(choice) ?? new Float64Array(choice.count);

/** Units that compete over all layers that stay. */
const decidedTogether = (group: readonly Choice[], open: Open): readonly (readonly [Choice, readonly number[]])[] => {
  const kept = group.reduce((sum, choice) => sum + choice.kept, 0);
  const whole = group.every((choice) => partIn(choice)?.kind === 'ffn' && choice.kept % NEURON_BLOCK === 0);
  const all = new Map(group.map((choice) => [choice, scoresIn(open, choice)]));
  return [...selectGlobal(all, kept, whole ? NEURON_BLOCK : 1, 'as they are')];
};

/** Whether a part is left by the layers that stay: one of several of them with any. */
const leftBy = (layers: Choice | undefined, kept: readonly number[]): ((choice: Choice) => boolean) => {
  if (layers === undefined || isPart(layers.of)) return () => true;
  const gone = new Set(layers.of.flatMap(({ index }, at) => (kept.includes(at) ? [] : [index])));
  return (choice) => {
    const own = partIn(choice)?.layers ?? [];
    return own.length === 0 || own.some((layer) => !gone.has(layer));
  };
};

/** The very counts that were asked for: the most open units of each choice, or over all layers that stay. */
export const decided = (learning: Learning, open: Open): ReadonlyMap<Choice, readonly number[]> => {
  const layers = layersIn(learning);
  const alone = (choice: Choice): readonly number[] => selectTop(scoresIn(open, choice), choice.kept);
  const isLeft = leftBy(layers, layers === undefined ? [] : alone(layers));
  return new Map(
    groupsOf(learning).flatMap((group) => {
      const together = group.length === 1 ? [] : group.filter(isLeft);
      const others = group.filter((choice) => !together.includes(choice));
      return [...decidedTogether(together, open), ...others.map((choice) => [choice, alone(choice)] as const)];
    }),
  );
};
