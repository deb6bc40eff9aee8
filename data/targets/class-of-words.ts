import type { TargetKind } from './target.ts';
import { expectEqual, isEmpty, tagsIn, wordsOf } from './words-of-text.ts';

/** One class a word of the text. */
export const classOfWords: TargetKind = {
  key: 'tags',
  noun: 'tags',
  about: 'word',
  named: true,
  fits: (target) => typeof target === 'object',
  table: {
    words: true,
    columns: ({ label }) => [label],
    read: ([value], [column = ''], row, _missing, { names }) => {
      const words = wordsOf(row.text, row);
      if (words.length > 0 && isEmpty(value)) return { missing: '', noun: 'list of tags' };
      const tags = tagsIn(value, column, row, names);
      expectEqual(words, tags, row);
      return { target: tags, text: words.join(' ') };
    },
  },
};
