import { z } from 'zod';
import { readDatasetArtifact } from '../../data/files.ts';
import { predictLogits } from '../../engine/predict.ts';
import { readModelArtifact } from '../../models/files.ts';
import { isQuantized } from '../../models/quantized.ts';
import { defineStage, StageError } from '../stage.ts';
import { longest } from '../train/examples.ts';
import { writeTeacherOutputs } from './outputs.ts';

const config = z.strictObject({});

/** Logits of a teacher for every training text, labelled or not: computed once, without dropout, kept by example id. */
export const label = defineStage({
  uses: 'label',
  version: 2,
  summary: 'What a teacher says about every training text.',
  config,
  internal: true,
  makes: 'teacher-outputs',
  draws: false,
  wire: (_, wiring) => ({ dataset: wiring.dataset() }),
  run: async (inputs, _, ctx) => {
    const { model: modelInput, dataset: datasetInput } = inputs;
    if (modelInput === undefined || datasetInput === undefined) throw new Error('label needs a model and a dataset');
    const model = await readModelArtifact(modelInput.path);
    const dataset = await readDatasetArtifact(datasetInput.path);
    if (model.info.task !== 'text-classification') {
      throw new StageError('the teacher gives features, not class scores: train it first');
    }
    const examples = [...dataset.train, ...dataset.unlabelled];
    const logits = await predictLogits({
      model,
      texts: examples,
      maxLength: longest(dataset, model),
      threads: ctx.threads,
      batching: isQuantized(model.graph) ? 'single' : 'length',
      signal: ctx.signal,
      checkpoints: ctx.checkpoints,
      onProgress: (done, total) => ctx.progress({ done, total, unit: 'texts' }),
    });
    const folder = await ctx.output('teacher-outputs', 'teacher-outputs');
    const ids = Int32Array.from(examples, ({ id }) => id);
    await writeTeacherOutputs(folder, { classes: model.info.labels, ids, logits });
    return { texts: examples.length };
  },
});
