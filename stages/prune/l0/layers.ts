import type { Gated } from '../../../engine/gated.ts';
import type { Layer } from '../../../models/anatomy.ts';
import type { Choice } from './choice.ts';
import { gatesFor } from './gates.ts';

/**
 * Whole layers: what goes on behind one is z (what it made) + (1 - z) (what it was given), so that at 0 the stream passes it by as it
 * does where the layer is left out.
 */
export const layerGates = (
  layers: readonly Layer[],
  units: Pick<Choice, 'name' | 'count'>,
  seed: number,
): readonly Gated[] => {
  const gates = gatesFor(units, seed);
  return layers.map(({ input, output }, at) => ({
    value: output,
    instead: (x, scope, seen) => {
      const { builder } = scope;
      const z = builder.op('Gather', [gates(scope), builder.ints([at])], { axis: 0 }); // (1)
      const by = builder.op('Sub', [builder.scalar('float32', 1), z]);
      return builder.op('Add', [builder.op('Mul', [x, z]), builder.op('Mul', [seen(input), by])]);
    },
  }));
};
