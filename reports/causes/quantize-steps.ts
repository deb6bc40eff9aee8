import { milliseconds } from '../figures.ts';
import { type Cause, matters, savingOf, written } from './cause.ts';

/** Steps between float and 8 bits that cost more than 8-bit products save. */
export const quantizeSteps: Cause = {
  name: 'quantize-steps',
  about: 'time',
  looksAt: 'the graph with the steps given as constants, and with its 8-bit products in float32 without steps',
  advice: 'leave the small matrices in float with exclude: a step costs the same however little its product saves',
  advise: ({ quantizedWith }) =>
    quantizedWith.has('exclude')
      ? 'the exclude of the quantize stage names too few of the small matrices: a step costs the same however little its product saves'
      : quantizeSteps.advice,
  find: ({ model }) => {
    const [steps, inFloat] = [savingOf(model, 'without-quantize'), savingOf(model, 'float')];
    if (steps === undefined || !matters(inFloat)) return undefined;
    return {
      finding: 'the steps between float and 8 bits cost more than 8-bit products save',
      evidence: `${written('in float32 the same graph', inFloat)}; the steps alone take ${milliseconds(steps.ms)} ms`,
      share: inFloat.share,
    };
  },
};
