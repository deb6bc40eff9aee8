import type { Value } from '../../graph/graph.ts';
import { MASKED_SCORE } from '../blocks.ts';
import { blocksOf } from './blocks.ts';
import { kept } from './features.ts';
import type { Core, Place } from './kind.ts';
import { reshaped } from './pieces.ts';

/** What is a key in each block, 1 or 0: (batch, blocks, block, 1). */
const keptBlocks = (place: Place, core: Core, block: number): Value =>
  place.shared(`kept ${block} ${core.bias}`, () => blocksOf(place, kept(place, core), block));

/** Keys in each block: (batch, blocks, 1). */
export const counts = (place: Place, core: Core, block: number): Value =>
  place.shared(`counts ${block} ${core.bias}`, () =>
    place.builder.op('ReduceSum', [keptBlocks(place, core, block), place.builder.ints([2])], { keepdims: 0 }),
  );

/** Means over the keys of each block, 0 where it has none: (batch, sequence, width) to (batch, blocks, width). */
export const means = (place: Place, core: Core, x: Value, block: number): Value => {
  const { builder } = place;
  const shares = place.shared(`shares ${block} ${core.bias}`, () => {
    const least = builder.op('Max', [counts(place, core, block), builder.scalar('float32', 1)]);
    const over = builder.op('Unsqueeze', [least, builder.ints([2])]); // (batch, blocks, 1, 1)
    return builder.op('Div', [keptBlocks(place, core, block), over]);
  });
  const weighed = builder.op('Mul', [blocksOf(place, x, block), shares]);
  return builder.op('ReduceSum', [weighed, builder.ints([2])], { keepdims: 0 });
};

/** log of the number of keys that a mean stands for, so that it weighs as many: (batch, 1, 1, blocks). */
export const countsBias = (place: Place, core: Core, count: Value, block: number): Value =>
  place.shared(`counts bias ${block} ${core.bias}`, () => {
    const { builder } = place;
    const one = builder.scalar('float32', 1);
    const empty = builder.op('Sub', [one, builder.op('Min', [count, one])]);
    const bias = builder.op('Add', [
      builder.op('Log', [builder.op('Max', [count, one])]),
      builder.op('Mul', [empty, builder.scalar('float32', MASKED_SCORE)]),
    ]);
    return reshaped(builder, bias, [0, 1, 1, -1]);
  });
