import type { GraphBuilder } from '../../../graph/builder.ts';
import type { Value } from '../../../graph/graph.ts';
import { splitHeads, splitKeys } from '../../blocks.ts';
import { divided, kept } from '../features.ts';
import type { AttentionKind } from '../kind.ts';
import { widthOf } from '../pieces.ts';

/** elu(x) + 1 as relu(x) + exp(-relu(-x)): operators with gradients, none of them steep. */
const positive = (builder: GraphBuilder, x: Value): Value => {
  const below = builder.op('Relu', [builder.op('Neg', [x])]);
  return builder.op('Add', [builder.op('Relu', [x]), builder.op('Exp', [builder.op('Neg', [below])])]);
};

/** phi(Q) (phi(K)^T V) / (phi(Q) phi(K)^T 1) with phi = elu + 1 (Katharopoulos et al. 2020, 2006.16236). */
export const linear: AttentionKind = {
  name: 'linear',
  summary: 'positions see all through sums of keys times values, which cost the same a position at any length',
  settings: {},
  scored: false,
  moves: 3.3,
  macs: (_, { length, heads, headWidth }) => 2 * length * heads * headWidth * headWidth + length * heads * headWidth,
  emit: (place, _, core) => {
    const { builder } = place;
    const { heads } = core;
    const sizes = (x: Value): readonly [number, number] => [heads, widthOf(place, x) / heads];
    const keys = builder.op('Mul', [positive(builder, core.key), kept(place, core)]);
    return divided(place, core, {
      queries: splitHeads(builder, positive(builder, core.query), sizes(core.query)),
      keys: splitKeys(builder, keys, sizes(core.key)),
      values: splitHeads(builder, core.value, sizes(core.value)),
    });
  },
};
