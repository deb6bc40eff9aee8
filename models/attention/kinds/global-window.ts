import { ownAndBeside } from '../blocks.ts';
import { attendedLocally, globalProblem, windowMask, withGlobal } from '../global.ts';
import type { AttentionKind } from '../kind.ts';

/** Windows, and a few positions at the start that see all and are seen by all (Beltagy et al. 2020, 2004.05150). */
export const globalWindow: AttentionKind = {
  name: 'global-window',
  summary: 'a window of width, and the first positions (global), which see all and are seen by all',
  settings: { width: 64, global: 1 },
  problem: globalProblem,
  sees:
    ({ width, global }) =>
    (query, key) =>
      Math.min(query, key) < global || Math.abs(query - key) <= width,
  scored: true,
  moves: 7.5,
  macs: ({ width, global }, { length, heads, headWidth }) =>
    2 * (Math.ceil(length / width) * width * (3 * width + global) + global * length) * heads * headWidth,
  emit: (place, { width, global }, core) => {
    const mask = windowMask(place, core, { block: width, global, distances: ownAndBeside, reach: width });
    const local = attendedLocally(place, core, { block: width, global, distances: ownAndBeside, mask });
    return withGlobal(place, core, local, { block: width, global });
  },
};
