import type { TargetKind } from './target.ts';

/** Texts alone, from which a student learns what its teacher makes of them. */
export const nothing: TargetKind = {
  key: '',
  noun: 'a text',
  about: 'nothing',
  named: false,
  fits: () => true,
  table: { columns: () => [], read: () => ({ missing: '' }) },
};
