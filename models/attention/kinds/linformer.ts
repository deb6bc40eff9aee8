import { stream } from '../../../data/random.ts';
import type { Value } from '../../../graph/graph.ts';
import { type Tensor, tensorOf } from '../../../graph/tensor.ts';
import { MASKED_SCORE } from '../../blocks.ts';
import { kept } from '../features.ts';
import type { AttentionKind, Core, Draw, Place } from '../kind.ts';
import { attended, reshaped, sizeAt } from '../pieces.ts';

/** Beside the means that rows start as: what tells the rows of a long text apart before they are trained. */
const NOISE = 0.01;
/** A row of less weight has no key. */
const LEAST = 1e-6;

/** Rows that are means of equal stretches of the longest text, with noise: (longest, features). */
const stretches = (features: number, { seed, layer, longest }: Draw): Tensor => {
  const random = stream(seed, 'attention', layer);
  const numbers = new Float32Array(longest * features);
  for (let position = 0; position < longest; position++) {
    const own = Math.floor((position * features) / longest);
    for (let row = 0; row < features; row++) {
      numbers[position * features + row] = (row === own ? 1 : 0) + NOISE * random.normal();
    }
  }
  return tensorOf('float32', [longest, features], numbers);
};

/** What each position gives each row, nothing at padding, and what a row got in all. */
const weighed = (place: Place, core: Core, features: number): { readonly matrix: Value; readonly total: Value } => {
  const { builder } = place;
  const table = place.parameter('rows', () => stretches(features, place.draw));
  const own = builder.op('Slice', [table, builder.ints([0]), sizeAt(builder, core.key, 1), builder.ints([0])]);
  const turned = builder.op('Transpose', [own], { perm: [1, 0] }); // (features, sequence)
  const total = builder.op('MatMul', [builder.op('Abs', [turned]), kept(place, core)]); // (batch, features, 1)
  return { matrix: turned, total: builder.op('Max', [total, builder.scalar('float32', LEAST)]) };
};

/**
 * Keys and values brought to so many rows by a learnt matrix, one for both (Wang et al. 2020, 2006.04768). Rows are divided by
 * the weight that they got and count as much, so that padding and short texts leave no rows of zeros that take shares.
 */
export const linformer: AttentionKind = {
  name: 'linformer',
  summary: 'keys and values are brought to as many rows as features says by a learnt matrix over the positions',
  settings: { features: 128 },
  scored: true,
  moves: 1.7,
  macs: ({ features }, { length, heads, headWidth }) => 4 * length * features * heads * headWidth,
  emit: (place, { features }, core) => {
    const { builder } = place;
    const { matrix, total } = weighed(place, core, features);
    const rows = (x: Value): Value => {
      const sum = builder.op('MatMul', [matrix, builder.op('Mul', [x, kept(place, core)])]); // (batch, features, width)
      return builder.op('Div', [sum, total]);
    };
    const empty = builder.op('Cast', [builder.op('LessOrEqual', [total, builder.scalar('float32', LEAST)])], { to: 1 });
    const bias = builder.op('Add', [
      builder.op('Log', [total]),
      builder.op('Mul', [empty, builder.scalar('float32', MASKED_SCORE)]),
    ]);
    return attended(place, {
      ...core,
      key: rows(core.key),
      value: rows(core.value),
      bias: reshaped(builder, bias, [0, 1, 1, features]),
    });
  },
};
