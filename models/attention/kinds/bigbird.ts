import { stream } from '../../../data/random.ts';
import { ownAndBeside } from '../blocks.ts';
import { attendedLocally, globalProblem, windowMask, withGlobal } from '../global.ts';
import type { AttentionKind, Draw, Settings } from '../kind.ts';

/**
 * How many blocks away the random ones are: drawn for each layer, at least two and no further than there are blocks. One
 * distance serves all blocks, so that slices do what would take Gather.
 */
const drawn = ({ width, random }: Settings, { seed, layer, longest }: Draw): readonly number[] => {
  const farthest = Math.ceil(longest / width) - 1;
  const open = Array.from({ length: Math.max(0, farthest - 1) }, (_, i) => i + 2).flatMap((far) => [-far, far]);
  const draws = stream(seed, 'attention', layer);
  const found: number[] = [];
  while (found.length < random && open.length > 0) found.push(...open.splice(draws.integer(open.length), 1));
  return found;
};

/** Blocks that see their neighbours, blocks at random distances and the first positions (Zaheer et al. 2020, 2007.14062). */
export const bigbird: AttentionKind = {
  name: 'bigbird',
  summary:
    'blocks of width see the blocks beside them, random ones that many blocks away as a draw says, and the first positions (global), which see all',
  settings: { width: 64, global: 16, random: 3 },
  problem: globalProblem,
  sees: (settings, draw) => {
    const { width, global } = settings;
    const distances = new Set([...ownAndBeside, ...drawn(settings, draw)]);
    return (query, key) =>
      Math.min(query, key) < global || distances.has(Math.floor(key / width) - Math.floor(query / width));
  },
  scored: true,
  moves: 12,
  macs: ({ width, global, random }, { length, heads, headWidth }) =>
    2 * (Math.ceil(length / width) * width * ((3 + random) * width + global) + global * length) * heads * headWidth,
  emit: (place, settings, core) => {
    const { width: block, global } = settings;
    const distances = [...ownAndBeside, ...drawn(settings, place.draw)];
    const mask = windowMask(place, core, { block, global, distances });
    const local = attendedLocally(place, core, { block, global, distances, mask });
    return withGlobal(place, core, local, { block, global });
  },
};
