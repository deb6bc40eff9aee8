import { taskWith } from '../../ground/tasks.ts';
import { missingLabel } from '../datasets/missing.ts';
import { scalarText } from '../datasets/rows.ts';
import { kindOfValue } from '../datasets/values.ts';
import { dataErrors } from '../errors.ts';
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
      if (Array.isArray(value)) {
        const several = `one class a text; where texts have several, write task: ${taskWith('text', 'set')}`;
        throw dataErrors.wrongType(row.at, column, kindOfValue(value), several);
      }
      const target = scalarText(value, column, row).trim();
      return missingLabel(target, missing) ?? { target };
    },
  },
};
