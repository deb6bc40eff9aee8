import { z } from 'zod';
import { json } from '../../ground/reported/json.ts';
import { notes } from '../../ground/reported/stage.ts';
import { trainingSummary } from '../../ground/reported/training.ts';
import { recoveryEffort, recoveryTokens, wireRecovery } from '../distill/recover-plan.ts';
import { defineStage } from '../stage.ts';
import { wireCosts } from './budget/wire.ts';
import { pruneConfig } from './config.ts';
import { foreseePruning } from './foresee.ts';
import { measuringEffort, needsExamples } from './needs.ts';

/** What it leaves for the report. */
const reported = z.looseObject({
  structure: json.exactOptional(),
  sparsity: json.exactOptional(),
  training: trainingSummary.exactOptional(),
  notes,
});

export type Reported = z.infer<typeof reported>;

/** Removes structure (layers, widths, heads, neurons), or sets weights to zero, or both; then trains if asked to. */
export const prune = defineStage({
  uses: 'prune',
  version: 10,
  summary: 'Cuts heads, neurons, widths and layers away, or sets weights that matter least to zero.',
  config: pruneConfig,
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
  wire: (options, wiring) => ({
    ...wireRecovery(options.recover, needsExamples(options), wiring),
    ...wireCosts(options, wiring),
  }),
  foresee: async (options, outlook) => {
    const seen = foreseePruning(options, outlook);
    // Tokens that go cannot lack in a teacher.
    const isCut = options.keep?.vocabulary !== undefined;
    const strange = isCut ? [] : await recoveryTokens(options.recover, outlook);
    return { ...seen, problems: [...(seen.problems ?? []), ...strange] };
  },
  effort: (options, texts) => {
    const { recover } = options;
    const measured = measuringEffort(options, texts.train);
    const alone = measured.alone === 0 ? {} : { alone: measured.alone };
    if (recover === undefined) return { ...alone, trained: measured.trained };
    const { trained = 0, ...others } = recoveryEffort(recover, texts);
    return { ...others, ...alone, trained: measured.trained + trained };
  },
  run: async (...given) => (await import('./work.ts')).run(...given),
});
