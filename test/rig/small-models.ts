import { quantizeWeights } from '../../graph/quantize/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { writeModel } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { exportModels } from '../../stages/export/folder.ts';
import { smallEncoder } from '../models/support.ts';
import type { Workspace } from './workspace.ts';

/** Matrices of any size in 8 bits: a small model is quantized as large ones are. */
const quantization = { embeddings: true, reduceRange: false, exclude: [], minimumTable: 1 };

const quantized = (model: Model): Model => ({
  ...model,
  graph: quantizeWeights(fuseForInference(model.graph), quantization).graph,
});

/** A classifier of three classes with 4 heads and 128 neurons a layer, which knows a few words. */
export const smallClassifier = (seed = 1): Model => smallEncoder({ hidden: 64, ffn: 128 }, seed);

/** Folders of stages and an exported one: `student` and `other` in floats, `int8` of the student, `deploy` of both. */
export const writeSmallModels = async (space: Workspace): Promise<void> => {
  const student = smallClassifier();
  const int8 = quantized(student);
  await writeModel(space.path('student'), student);
  await writeModel(space.path('other'), smallClassifier(2));
  await writeModel(space.path('int8'), int8);
  await exportModels(
    space.path('deploy'),
    new Map([
      ['fp32', student],
      ['q8', int8],
    ]),
    { threads: 1, results: '' },
  );
};
