import type { Value } from '../graph/graph.ts';
import { stageError } from '../ground/errors.ts';
import { type Depths, depthsOf } from '../models/anatomy/depth.ts';
import type { Model } from '../models/model.ts';
import type { TrainingOptions } from './training-options.ts';

/** What of a model moves, and how fast each parameter does beside the learning rate. */
export interface Motion {
  readonly frozen: ReadonlySet<Value>;
  /** Factor of the learning rate by parameter; 1 where it has none. */
  readonly factors: ReadonlyMap<Value, number>;
}

const LAYERS = /^layers\.(\d+)(?:-(\d+))?$/;

/** The groups that a name of the configuration stands for, one by one: `layers.1-3` for three. */
function* groupsNamed(name: string): Generator<string> {
  const [, from, to = from] = LAYERS.exec(name) ?? [];
  if (from === undefined) yield name;
  else for (let layer = Number(from); layer <= Number(to); layer++) yield `layers.${layer}`;
}

const listed = ({ groups }: Depths): string =>
  groups.length > 3 ? `${groups[0]}, ${groups[1]} to ${groups.at(-2)}, ${groups.at(-1)}` : groups.join(', ');

/** Where the parts of a name are; the first that the model lacks is an error, however many would follow. */
const depthsNamed = (depths: Depths, name: string): readonly number[] => {
  const found: number[] = [];
  for (const group of groupsNamed(name)) {
    const at = depths.groups.indexOf(group);
    if (at < 0) {
      const what = group === name ? `'${name}'` : `'${group}' of '${name}'`;
      throw stageError(`freeze: the model has no part ${what}; it has ${listed(depths)}`);
    }
    found.push(at);
  }
  return found;
};

/** The deepest layer keeps the rate, each one below it has `decay` times that of the layer above; the head has its own. */
const factorAt = ({ groups }: Depths, depth: number, { head, decay }: { head: number; decay: number }): number =>
  depth === groups.length - 1 ? head : decay ** (groups.length - 2 - depth);

/**
 * What freezing, the head's own rate and layer-wise decay of the others (Howard and Ruder 2018, arXiv 1801.06146) come to for
 * the parameters of a model. A parameter that layers share stands still where one of them is frozen, and has the rate of the
 * last.
 */
export const motionOf = (
  { graph }: Model,
  options: Pick<TrainingOptions, 'freeze' | 'layerDecay' | 'learningRate' | 'headLearningRate'>,
): Motion => {
  const { freeze = [], layerDecay: decay = 1, learningRate, headLearningRate } = options;
  const head = headLearningRate / learningRate;
  if (freeze.length === 0 && decay === 1 && head === 1) return { frozen: new Set(), factors: new Map() };
  const depths = depthsOf(graph);
  const still = new Set(freeze.flatMap((name) => depthsNamed(depths, name)));
  const parameters = [...depths.of];
  return {
    frozen: new Set(parameters.filter(([, own]) => own.some((depth) => still.has(depth))).map(([name]) => name)),
    factors: new Map(parameters.map(([name, own]) => [name, factorAt(depths, own.at(-1) ?? 0, { head, decay })])),
  };
};
