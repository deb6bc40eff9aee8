import { remembers } from '../../engine/decoding.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { withGroupedAttention } from '../../models/grouped.ts';
import type { Model } from '../../models/model.ts';
import { batchingOf } from '../../models/quantized.ts';
import { isNear, scoresThroughout } from './remembered.ts';

/** Sums in another order flip a rounding of activations here and there; a wrong mask changes scores by as much as they are. */
const ROUNDED = 0.05;

const scoresOf = async (model: Model, ids: Int32Array, threads: number): Promise<Float32Array> => {
  const program = await cpuEngine.compile(model.graph, { threads });
  try {
    return await scoresThroughout(program, model, ids);
  } finally {
    await program.release();
  }
};

/** A decoder as it decodes fastest, where that was seen to say the same: of a prompt, of what follows, and behind padding. */
export const asItDecodes = async (model: Model, ids: Int32Array, threads: number): Promise<Model> => {
  if (!remembers(model)) return model;
  const grouped = withGroupedAttention(model);
  if (grouped === model) return model;
  const [wanted, found] = [await scoresOf(model, ids, threads), await scoresOf(grouped, ids, threads)];
  return isNear(found, wanted, batchingOf(model.graph) === 'single' ? ROUNDED : undefined) ? grouped : model;
};
