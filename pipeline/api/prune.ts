import { withoutUnits } from '../../models/anatomy/removal.ts';
import { type Units as NamedUnits, noUnits } from '../../models/anatomy/units.ts';
import { expectFloats, withLayersApart } from '../../models/foreign.ts';
import { type Kept, leastUnits } from '../../stages/prune/named-units.ts';
import { requestError } from '../diagnostic.ts';
import type { Reading } from './named.ts';
import { rewriteModel } from './rewritten.ts';
import type { PrunedGraph, PruneOptions, Units } from './types/graphs.ts';
import { unitsFrom } from './units-file.ts';

/** What is kept, where anything is said of it. */
const keptIn = ({ keepHeads, keepFfn, keepLayers }: PruneOptions): Kept => ({
  ...(keepHeads === undefined ? {} : { heads: keepHeads }),
  ...(keepFfn === undefined ? {} : { ffn: keepFfn }),
  ...(keepLayers === undefined ? {} : { layers: keepLayers }),
});

const expectOneWay = (kept: Kept, remove: Units | undefined, zeros: boolean): void => {
  const counts = Object.keys(kept).length > 0;
  if (counts && remove !== undefined)
    throw requestError('--keep-... and --remove are two ways to say what goes; give one of them');
  if ((counts || remove !== undefined) && zeros)
    throw requestError(
      'zeros (--sparsity, --pattern) are made in what is left; cut first, and make them of what was written',
    );
  if (!counts && remove === undefined && !zeros)
    throw requestError(
      'nothing is to go; say how much is kept (--keep-heads, --keep-ffn, --keep-layers), --remove, or --sparsity for zeros',
    );
};

/** Whether weights are to become zeros, or something is said of how. */
const asksForZeros = ({ sparsity, pattern, saliency, data, calibration }: PruneOptions): boolean =>
  [sparsity, pattern, saliency, data, calibration].some((given) => given !== undefined);

/** Each number once, in rising order; layers of which nothing goes are left out. */
const tidied = ({ heads = {}, crossHeads = {}, ffn = {}, layers = [] }: Units): NamedUnits => {
  const rising = (numbers: readonly number[]): readonly number[] => [...new Set(numbers)].sort((a, b) => a - b);
  const byLayer = (given: NamedUnits['heads']): NamedUnits['heads'] =>
    Object.fromEntries(
      Object.entries(given).flatMap(([layer, numbers]) => (numbers.length === 0 ? [] : [[layer, rising(numbers)]])),
    );
  return { heads: byLayer(heads), crossHeads: byLayer(crossHeads), ffn: byLayer(ffn), layers: rising(layers) };
};

/** Reads a model, removes units of it and writes what is left. */
export const pruneGraph = async (
  name: string,
  out: string,
  options: PruneOptions,
  emit: Reading['emit'],
): Promise<PrunedGraph> => {
  const kept = keptIn(options);
  const named = options.remove === undefined ? undefined : unitsFrom(options.remove);
  const zeros = asksForZeros(options);
  expectOneWay(kept, named, zeros);
  return await rewriteModel<Pick<PrunedGraph, 'removed' | 'zeros'>>(name, out, options, emit, async (foreign) => {
    expectFloats(foreign, 'the model', 'cut');
    if (zeros) {
      const { graph, told } = await (await import('./zeros.ts')).zerosIn(foreign, options, emit);
      return { graph, told: { removed: noUnits, zeros: told }, change: { kind: 'reworded' } };
    }
    let removed = noUnits;
    const graph = withLayersApart(foreign.graph, (apart) => {
      removed = tidied(named ?? leastUnits(apart, kept));
      return withoutUnits(apart, removed);
    });
    return { graph, told: { removed }, change: { kind: 'cut', graph, layers: removed.layers } };
  });
};
