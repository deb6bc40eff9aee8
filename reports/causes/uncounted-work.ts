import { milliseconds } from '../figures.ts';
import { leastUncounted, splitOf } from '../split.ts';
import { type Cause, timeOf } from './cause.ts';
import { cutOf } from './done.ts';

/** Below this share it belongs to any Transformer. */
const MUCH = 0.1;
const LISTED = 4;

/** Work that multiply-accumulates do not count, so that fewer of them do not make it less. */
export const uncountedWork: Cause = {
  name: 'uncounted-work',
  about: 'time',
  looksAt: 'normalisations, activations, sums, look-ups and pooling, given as constants',
  advice: 'a narrower or shallower model has less of it; fewer products alone do not',
  advise: (done) => {
    const cut = cutOf(done, 'hidden', 'layers');
    return cut === ''
      ? uncountedWork.advice
      : `the run has cut ${cut} already: only a still narrower or shallower model has less of it; fewer products alone do not`;
  },
  find: ({ model }) => {
    const [full, ms] = [timeOf(model, 'full'), splitOf(model)?.['work that MACs do not count']];
    const least = leastUncounted(model) ?? 0;
    if (full === undefined || ms === undefined || !(least >= MUCH * full)) return undefined;
    const byOperator = new Map<string, number>();
    for (const { op, ms } of model.nodes.filter(({ group }) => group === 'other')) {
      byOperator.set(op, (byOperator.get(op) ?? 0) + ms);
    }
    const largest = [...byOperator].sort(([, a], [, b]) => b - a).slice(0, LISTED);
    return {
      finding: `of ${milliseconds(full)} ms a run, ${milliseconds(ms)} ms go to work that MACs do not count`,
      evidence: `kernels, by the runtime's own profile: ${largest.map(([op, ms]) => `${op} ${milliseconds(ms)} ms`).join(', ')}`,
      share: ms / full,
    };
  },
};
