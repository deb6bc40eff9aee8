import { withHead } from '../../models/head.ts';
import { images } from '../read.ts';
import { textClassification } from './classification.ts';
import type { Task } from './task.ts';

/** One class an image. */
export const imageClassification: Task = {
  ...textClassification,
  name: 'image-classification',
  encode: images,
  fit: (model, labels) => withHead(model, { task: imageClassification.name, at: 'texts', pooling: 'first', labels }),
};
