import { z } from 'zod';
import type { Immutable } from '../../ground/immutable.ts';
import { deviationReport, quantizationReport } from '../../ground/reported/quantization.ts';
import { trainingSummary } from '../../ground/reported/training.ts';
import { type DatasetTask, dataTask } from '../../ground/tasks.ts';
import { recoveryEffort, recoveryTokens, wireRecovery } from '../distill/recover-plan.ts';
import type { Effort, TextCounts } from '../expected.ts';
import { defineStage } from '../stage.ts';
import { dropProblem } from './budget.ts';
import { CALIBRATION, type Config, config, needsTexts } from './config.ts';
import { foreseeQuantization } from './foresee.ts';

/** The source and files on the way to the smallest that loses little enough: the path is halved again and again. */
const JUDGED_FILES = 8;

/** What is wrong with a limit for the metric of the data. */
const limitProblem = ({ budget }: Config, task: DatasetTask | undefined): string | undefined =>
  task === undefined || budget?.maxDrop === undefined ? undefined : dropProblem(budget.maxDrop, dataTask(task));

const effort = (options: Config, texts: TextCounts): Effort => {
  const { recover, budget, calibration = CALIBRATION } = options;
  const alone = needsTexts(options) ? { alone: Math.min(texts.train, calibration) } : {};
  const judged = budget?.maxDrop === undefined ? 0 : JUDGED_FILES * texts.validation;
  if (recover === undefined) return { ...alone, ...(judged === 0 ? {} : { asked: judged }) };
  const { asked = 0, ...trained } = recoveryEffort(recover, texts);
  return { ...alone, ...trained, asked: judged + asked };
};

/** What it leaves for the report. */
const reported = z.looseObject({
  quantization: quantizationReport,
  deviation: deviationReport,
  training: trainingSummary.exactOptional(),
});

export type Reported = Immutable<z.infer<typeof reported>>;

/** Fuses the model for inference and stores it in fewer bits: what it writes is what ships. */
export const quantize = defineStage({
  uses: 'quantize',
  version: 10,
  summary: 'Stores weights in 8, 4 or 16 bits as clients ask for them; fuses the graph as it will ship.',
  config,
  place: 'named',
  metrics: reported,
  makes: 'model',
  stores: 'fewer bits',
  takes: { model: 'floats' },
  draws: ({ recover }) => recover !== undefined,
  choosesEngine: true,
  trains: {
    when: ({ recover }) => recover !== undefined,
    pass: ({ recover }) => ({ batch: recover?.batch ?? 1, recompute: recover?.recompute }),
    training: async (...given) => (await import('./recovery.ts')).training(...given),
  },
  wire: (options, wiring) => {
    const problem = limitProblem(options, wiring.task);
    if (problem !== undefined) wiring.problem(['budget', 'maxDrop'], problem);
    return wireRecovery(options.recover, needsTexts(options), wiring);
  },
  effort,
  foresee: async (options, outlook) => {
    const seen = foreseeQuantization(options, outlook);
    return { ...seen, problems: [...(seen.problems ?? []), ...(await recoveryTokens(options.recover, outlook))] };
  },
  run: async (...given) => (await import('./work.ts')).run(...given),
});
