import type { TargetKind } from './target.ts';

/** One class a word of the text. */
export const classOfWords: TargetKind = {
  key: 'tags',
  noun: 'tags',
  about: 'word',
  named: true,
  fits: (target) => typeof target === 'object',
};
