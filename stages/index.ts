import { attention } from './attention/index.ts';
import { baseline } from './baseline/index.ts';
import { choose } from './choose/index.ts';
import { costs } from './costs/index.ts';
import { dataset } from './dataset/index.ts';
import { distill } from './distill/index.ts';
import { download } from './download/index.ts';
import { evaluate } from './evaluate/index.ts';
import { exportStage } from './export/index.ts';
import { importStage } from './import/index.ts';
import { label } from './label/index.ts';
import { measure } from './measure/index.ts';
import { mix } from './mix/index.ts';
import { profile } from './profile/index.ts';
import { prune } from './prune/index.ts';
import { quantize } from './quantize/index.ts';
import { reword } from './reword/index.ts';
import type { AnyStage } from './stage.ts';
import { trainStage } from './train/index.ts';
import { validate } from './validate/index.ts';

/** Every kind of step, in the order in which help lists them. */
export const stages: readonly AnyStage[] = [
  dataset,
  baseline,
  download,
  importStage,
  trainStage,
  prune,
  attention,
  distill,
  label,
  mix,
  reword,
  costs,
  choose,
  quantize,
  exportStage,
  evaluate,
  validate,
  measure,
  profile,
];
