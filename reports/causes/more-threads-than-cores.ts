import { type Cause, matters, savingOf, written } from './cause.ts';

/** Threads that wait for each other. */
export const moreThreadsThanCores: Cause = {
  name: 'more-threads-than-cores',
  about: 'time',
  looksAt: 'measure.threads beside the cores that this process may use; timed with both',
  advice: 'set measure.threads to the number of cores or fewer; small models are fastest on one',
  find: ({ model, profile: { threads, machine } }) => {
    const saving = savingOf(model, 'core-threads', 'asked-threads');
    if (threads <= machine.cores || !matters(saving)) return undefined;
    return {
      finding: `${threads} threads share ${machine.cores} ${machine.cores === 1 ? 'core' : 'cores'}`,
      evidence: written(`with ${machine.cores} the graph`, saving),
      share: saving.share,
    };
  },
};
