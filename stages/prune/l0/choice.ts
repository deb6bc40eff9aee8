import { stageError } from '../../../ground/errors.ts';
import type { Anatomy, Layer, Part } from '../../../models/anatomy.ts';
import { openLayers } from '../budget/ways.ts';
import { countsLayers } from '../needs.ts';
import { goalsOf, type Keep, layersGoal } from '../targets.ts';

/** Units of which it is learnt which ones go: those of a part, or whole layers. */
export interface Choice {
  readonly name: string;
  readonly count: number;
  /** How many stay. */
  readonly kept: number;
  /** What the units are of; layers that can be left out where it is no part. */
  readonly of: Part | readonly Layer[];
}

export const isPart = (of: Choice['of']): of is Part => 'kind' in of;

export const partIn = ({ of }: Choice): Part | undefined => (isPart(of) ? of : undefined);

/** Heads, neurons and widths are counted in parts, layers over the whole model. */
const layersChoice = (anatomy: Anatomy, keep: Keep): readonly Choice[] => {
  const goal = countsLayers(keep) ? layersGoal(anatomy, keep) : anatomy.layers.length;
  const gone = anatomy.layers.length - (typeof goal === 'number' ? goal : anatomy.layers.length);
  if (gone === 0) return [];
  const open = openLayers({ layers: anatomy.layers, hidden: [] });
  if (gone <= open.length) return [{ name: 'layers', count: open.length, kept: open.length - gone, of: open }];
  throw stageError(
    `keep.layers: ${anatomy.layers.length - gone} of ${anatomy.layers.length} layers were to be kept, and ` +
      `${anatomy.layers.length - open.length} of them change the width of the stream and have to stay`,
  );
};

/** What is to be learnt of a model; what keeps all of its units is left as it is. */
export const choicesIn = (anatomy: Anatomy, { heads, ffn, hidden, layers }: Keep): readonly Choice[] => [
  ...layersChoice(anatomy, { layers }),
  ...goalsOf(anatomy, { heads, ffn, hidden }).flatMap(({ part, kept }): readonly Choice[] =>
    kept < part.count ? [{ name: part.name, count: part.count, kept, of: part }] : [],
  ),
];
