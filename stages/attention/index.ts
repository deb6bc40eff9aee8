import { z } from 'zod';
import { json } from '../../ground/reported/json.ts';
import { trainingSummary } from '../../ground/reported/training.ts';
import { recoveryEffort, recoveryTokens, wireRecovery } from '../distill/recover-plan.ts';
import { defineStage } from '../stage.ts';
import { attentionConfig } from './config.ts';
import { foreseeAttention } from './foresee.ts';

/** What it leaves for the report. */
const reported = z.looseObject({ attention: json, training: trainingSummary.exactOptional() });

export type Reported = z.infer<typeof reported>;

/** Puts another kind of attention into a model, and positions for longer texts; then trains if asked to. */
export const attention = defineStage({
  uses: 'attention',
  version: 1,
  summary: 'Lets positions see less of a long text, so that time grows with its length and not with its square.',
  config: attentionConfig,
  place: 'named',
  metrics: reported,
  makes: 'model',
  takes: { model: 'floats' },
  draws: true,
  choosesEngine: true,
  trains: {
    when: ({ recover }) => recover !== undefined,
    pass: ({ recover }) => ({ batch: recover?.batch ?? 1, recompute: recover?.recompute }),
    training: async (...given) => (await import('./work.ts')).training(...given),
  },
  wire: ({ recover }, wiring) => wireRecovery(recover, false, wiring),
  foresee: async (options, outlook) => {
    const seen = foreseeAttention(options, outlook);
    return { ...seen, problems: [...(seen.problems ?? []), ...(await recoveryTokens(options.recover, outlook))] };
  },
  effort: ({ recover }, texts) => (recover === undefined ? {} : recoveryEffort(recover, texts)),
  run: async (...given) => (await import('./work.ts')).run(...given),
});
