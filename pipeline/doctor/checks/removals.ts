import { modelError } from '../../../ground/errors.ts';
import { membersOf, namedCount, noUnits, type UnitKind, type Units } from '../../../models/anatomy/units.ts';
import type { Part } from '../../../models/anatomy.ts';
import { type CheckRecord, found } from '../check.ts';
import { replacedBy, withInserted } from '../masked.ts';
import { drawn, drawUnits, heldAgainst, maskedGraph } from '../removed.ts';

const expectOpen = ({ name, group, refused }: Part): void => {
  if (group === undefined) throw modelError(`${name} cannot be cut: ${refused}`);
};

/** One head: with those that share its keys and values where there are other groups, alone where there is but one. */
const oneHead = (part: Part): readonly number[] => {
  expectOpen(part);
  const members = membersOf(part);
  if (members.length > 1) return members[drawn(part.name, 1, members.length)[0] ?? 0] ?? [];
  return namedCount(part) > 1 ? drawn(part.name, 1, namedCount(part)) : [];
};

const quarter = (part: Part): readonly number[] => {
  expectOpen(part);
  return part.count > 1 ? drawn(part.name, Math.max(1, Math.floor(part.count / 4)), part.count) : [];
};

/** `heads 0: 1, 1: 3`. */
const called = (units: Units): string =>
  (['heads', 'crossHeads', 'ffn'] as const)
    .flatMap((kind) => {
      const layers = Object.entries(units[kind]);
      const shown = layers.map(
        ([layer, numbers]) =>
          `${numbers.length > 8 ? `${numbers.length} of layer ${layer}` : `${layer}: ${numbers.join(' ')}`}`,
      );
      return layers.length === 0 ? [] : [`${kind} ${shown.join(', ')}`];
    })
    .join('; ');

const removal = (
  name: string,
  file: string,
  kinds: readonly UnitKind[],
  pick: (part: Part) => readonly number[],
): CheckRecord => ({
  name,
  needs: ['anatomy'],
  run: async (patient) => {
    const apart = patient.apart();
    const { gone, units } = drawUnits(apart, kinds, pick);
    if ([...gone.values()].every((numbers) => numbers.size === 0))
      return found(false, 'no layer has two of them, of which one could go');
    return await heldAgainst(patient, file, units, maskedGraph(apart, gone), gone, called(units));
  },
});

/** One head of each attention goes, against the same model where it attends in vain. */
export const heads = removal('remove heads', 'without-heads.onnx', ['heads', 'crossHeads'], oneHead);

/** A quarter of the neurons of each feed-forward block goes. */
export const neurons = removal('remove neurons', 'without-neurons.onnx', ['ffn'], quarter);

/** One layer goes, against the same model where the stream before it stands in for what it computes. */
export const layer: CheckRecord = {
  name: 'remove a layer',
  needs: ['anatomy'],
  run: async (patient) => {
    const { graph, anatomy } = patient.apart();
    const open = anatomy.layers.filter(({ inputWidth, outputWidth }) => inputWidth === outputWidth);
    const chosen = open[Math.floor(open.length / 2)];
    if (chosen === undefined) return found(false, 'every layer changes the width of the stream');
    const masked = withInserted(graph, new Map([[chosen.output, replacedBy(chosen.input)]]));
    const units = { ...noUnits, layers: [chosen.index] };
    return await heldAgainst(patient, 'without-a-layer.onnx', units, masked, new Map(), `layer ${chosen.index}`);
  },
};
