import { milliseconds } from '../figures.ts';
import { type Cause, leastOf, timeOf } from './cause.ts';
import { cutOf } from './done.ts';

/** Below this share the work itself counts. */
const MUCH = 0.1;

/** What a run costs before any work is done: once a run, and once a node. */
export const fixedCost: Cause = {
  name: 'fixed-cost',
  about: 'time',
  looksAt: 'an empty graph with the same inputs and outputs, and a chain of as many nodes that do nothing',
  advice: 'run several texts in one batch: the fixed cost is paid once a run; fewer layers have fewer nodes',
  advise: (done) =>
    cutOf(done, 'layers') === ''
      ? fixedCost.advice
      : 'run several texts in one batch: the fixed cost is paid once a run; the run has cut layers already, and only still fewer have fewer nodes',
  find: ({ model }) => {
    const [full, empty, chain] = [timeOf(model, 'full'), timeOf(model, 'empty'), timeOf(model, 'chain')];
    const least = leastOf(model, 'chain') ?? 0;
    if (full === undefined || empty === undefined || chain === undefined || !(least >= MUCH * full)) return undefined;
    const nodes = model.nodes.length;
    return {
      finding: `of ${milliseconds(full)} ms a run, ${milliseconds(chain)} ms are fixed cost`,
      evidence: `an empty graph takes ${milliseconds(empty)} ms, one of ${nodes} nodes that do nothing ${milliseconds(chain)} ms`,
      share: chain / full,
    };
  },
};
