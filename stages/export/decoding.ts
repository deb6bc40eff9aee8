import { remembers } from '../../engine/decoding.ts';
import type { Program } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { withoutRounding } from '../../graph/quantize/stored.ts';
import { withGroupedAttention } from '../../models/grouped.ts';
import type { Model } from '../../models/model.ts';
import { batchingOf } from '../../models/quantized.ts';
import { expectRemembering, isNear, scoresThroughout } from './remembered.ts';

/** Sums in another order flip a rounding of activations here and there; a wrong mask changes scores by as much as they are. */
const ROUNDED = 0.05;

/** Where products round what they read, a sum in another order is another number: what is compared reads floats. */
const reading = async <T>(model: Model, threads: number, read: (program: Program) => Promise<T>): Promise<T> => {
  const program = await cpuEngine.compile(withoutRounding(model.graph), { threads });
  try {
    return await read(program);
  } finally {
    await program.release();
  }
};

const scoresOf = (model: Model, ids: Int32Array, threads: number): Promise<Float32Array> =>
  reading(model, threads, (program) => scoresThroughout(program, model, ids));

/** Refuses a decoder that does not go on from what it remembers as from a whole text. */
export const expectDecoding = async (model: Model, ids: Int32Array, threads: number): Promise<void> => {
  if (!remembers(model) || batchingOf(model.graph) === 'single') return;
  await reading(model, threads, (program) => expectRemembering(program, model, ids));
};

/** A decoder as it decodes fastest, where that was seen to say the same: of a prompt, of what follows, and behind padding. */
export const asItDecodes = async (model: Model, ids: Int32Array, threads: number): Promise<Model> => {
  if (!remembers(model)) return model;
  const grouped = withGroupedAttention(model);
  if (grouped === model) return model;
  const [wanted, found] = [await scoresOf(model, ids, threads), await scoresOf(grouped, ids, threads)];
  return isNear(found, wanted, batchingOf(model.graph) === 'single' ? ROUNDED : undefined) ? grouped : model;
};
