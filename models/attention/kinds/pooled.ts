import type { AttentionKind } from '../kind.ts';
import { counts, countsBias, means } from '../means.ts';
import { attended } from '../pieces.ts';

/** Keys and values as means of neighbours, each weighing as many as it stands for (Liu et al. 2018, 1801.10198). */
export const pooled: AttentionKind = {
  name: 'pooled',
  summary: 'positions see means of width neighbours each, over the whole text',
  settings: { width: 4 },
  problem: ({ width }) =>
    width > 1
      ? undefined
      : { setting: 'width', message: 'means of one position each are full attention; expected 2 or more' },
  scored: true,
  moves: 1.4,
  macs: ({ width }, { length, heads, headWidth }) => 2 * length * Math.ceil(length / width) * heads * headWidth,
  emit: (place, { width }, core) => {
    const count = counts(place, core, width);
    return attended(place, {
      ...core,
      key: means(place, core, core.key, width),
      value: means(place, core, core.value, width),
      bias: countsBias(place, core, count, width),
    });
  },
};
