import { z } from 'zod';
import { json } from '../../ground/reported/json.ts';
import { defineStage } from '../stage.ts';
import { CALIBRATION, config, needsTexts } from './config.ts';
import { foreseeQuantization } from './foresee.ts';

/** What it leaves for the report. */
const reported = z.looseObject({ quantization: json, deviation: json });

export type Reported = z.infer<typeof reported>;

/** Fuses the model for inference and stores it in fewer bits: what it writes is what ships. */
export const quantize = defineStage({
  uses: 'quantize',
  version: 8,
  summary: 'Stores weights in 8, 4 or 16 bits as clients ask for them; fuses the graph as it will ship.',
  config,
  place: 'named',
  metrics: reported,
  makes: 'model',
  stores: 'fewer bits',
  takes: { model: 'floats' },
  draws: false,
  wire: (options, wiring) => (needsTexts(options) ? { dataset: wiring.dataset() } : {}),
  effort: (options, { train }) =>
    needsTexts(options) ? { alone: Math.min(train, options.calibration ?? CALIBRATION) } : {},
  foresee: (options, outlook) => foreseeQuantization(options, outlook),
  run: async (...given) => (await import('./work.ts')).run(...given),
});
