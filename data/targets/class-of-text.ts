import { isMissing } from '../datasets/missing.ts';
import { scalarText } from '../datasets/rows.ts';
import type { TargetKind } from './target.ts';

/** One class a text. */
export const classOfText: TargetKind = {
  key: 'label',
  noun: 'a label',
  about: 'text',
  named: true,
  fits: (target) => typeof target === 'number',
  table: {
    columns: ({ label }) => [label],
    read: ([value], [column = ''], row, missing) => {
      const target = scalarText(value, column, row).trim();
      return isMissing(target, missing) ? { missing: target } : { target };
    },
  },
};
