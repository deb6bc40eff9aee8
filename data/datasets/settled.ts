import { namesIn, targetKindOf } from '../targets/index.ts';
import type { FileConfig } from './file-options.ts';
import type { LocatedCandidate } from './parts.ts';

/** Candidates with their names as they are used: what they mean may show in all texts together alone. */
export const settled = (
  { task, scheme }: Pick<FileConfig, 'task' | 'scheme'>,
  candidates: readonly LocatedCandidate[],
): readonly LocatedCandidate[] => {
  const { settle } = targetKindOf(task);
  if (settle === undefined) return candidates;
  const named = candidates.filter(({ target }) => typeof target === 'object');
  const texts = named.map(({ target, wordAt }) => ({ tags: namesIn(target), at: wordAt }));
  const tags = settle(texts, scheme);
  const own = new Map(named.map((candidate, i) => [candidate, tags[i]]));
  return candidates.map((candidate) => {
    const target = own.get(candidate);
    return target === undefined ? candidate : { ...candidate, target };
  });
};
