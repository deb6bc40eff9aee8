import { z } from 'zod';
import { json } from '../../ground/reported/json.ts';
import { trainingSummary } from '../../ground/reported/training.ts';
import { wireDistillation } from '../distill/wire.ts';
import { defineStage, type Ref, type Wiring } from '../stage.ts';
import { allTraining, trainingEffort } from '../train/effort.ts';
import { type PruneOptions, pruneConfig } from './config.ts';
import { foreseePruning } from './foresee.ts';
import { needsExamples } from './needs.ts';

const wire = (options: PruneOptions, wiring: Wiring): Readonly<Record<string, Ref>> => {
  const { recover } = options;
  if (recover?.uses === 'distill') return wireDistillation(recover, wiring, ['recover']);
  return recover !== undefined || needsExamples(options) ? { dataset: wiring.dataset() } : {};
};

/** What it leaves for the report. */
const reported = z.looseObject({
  structure: json.exactOptional(),
  sparsity: json.exactOptional(),
  training: trainingSummary.exactOptional(),
});

export type Reported = z.infer<typeof reported>;

/** Removes structure (layers, widths, heads, neurons), or sets weights to zero, or both; then trains if asked to. */
export const prune = defineStage({
  uses: 'prune',
  version: 8,
  summary: 'Cuts heads, neurons, widths and layers away, or sets the smallest weights to zero.',
  config: pruneConfig,
  place: 'named',
  metrics: reported,
  makes: 'model',
  takes: { model: 'floats' },
  draws: true,
  choosesEngine: true,
  trains: {
    when: ({ recover }) => recover !== undefined,
    pass: ({ recover }) => ({ batch: recover?.batch ?? 1 }),
    training: async (...given) => (await import('./work.ts')).training(...given),
  },
  wire,
  foresee: foreseePruning,
  effort: (options, texts) => {
    const { recover, examples, rounds } = options;
    const measured = needsExamples(options) ? rounds * Math.min(examples, texts.train) : 0;
    if (recover === undefined) return { trained: measured };
    const learnt = recover.uses === 'train' && recover.task === undefined ? texts.train : allTraining(texts);
    const { trained = 0, ...others } = trainingEffort(recover, learnt, texts);
    return { ...others, trained: measured + trained };
  },
  run: async (...given) => (await import('./work.ts')).run(...given),
});
