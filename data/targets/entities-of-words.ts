import { OUTSIDE } from '../../ground/metrics/entities.ts';
import { listIn } from '../datasets/values.ts';
import { placedWords } from '../words.ts';
import { allTags, toIob2 } from './iob.ts';
import { areSpans, taggedBySpans } from './spans.ts';
import type { ReadTarget, TargetKind } from './target.ts';
import { expectEqual, isEmpty, tagsIn, wordsOf } from './words-of-text.ts';

/** Of a text that was not cut into words, a list without spans says that there is no entity. */
const withoutEntities = (text: string): ReadTarget => {
  const words = placedWords(text).map(({ word }) => word);
  return { target: words.map(() => OUTSIDE), text: words.join(' ') };
};

/** The entities of a text: tags of its words in some scheme, or spans of its characters. */
export const entitiesOfWords: TargetKind = {
  key: 'tags',
  noun: 'entities',
  about: 'word',
  named: true,
  fits: (target) => typeof target === 'object',
  complete: allTags,
  settle: toIob2,
  table: {
    words: true,
    columns: ({ label }) => [label],
    read: ([value], [column = ''], row, _missing, { names }) => {
      const list = listIn(value);
      const whole = typeof row.text === 'string' && listIn(row.text) === undefined ? row.text : undefined;
      if (whole !== undefined && list?.length === 0) return withoutEntities(whole);
      if (whole !== undefined && list !== undefined && areSpans(list)) {
        const { words, tags } = taggedBySpans(whole, list, row);
        return { target: tags, text: words.join(' ') };
      }
      const words = wordsOf(row.text, row);
      if (words.length > 0 && isEmpty(value)) return { missing: '', noun: 'list of tags' };
      const tags = tagsIn(value, column, row, names);
      expectEqual(words, tags, row);
      return { target: tags, text: words.join(' ') };
    },
  },
};
