import type { Seen } from '../../engine/observe/index.ts';
import { fixedPointOf, inSteps, type Range, rangeOf } from '../../graph/quantize/range.ts';
import { joinedFloats } from '../../ground/joined.ts';
import type { Calibrator } from './calibrators/calibrator.ts';
import { Distributing } from './distributions.ts';

/** Rows of texts, divided by a scale a channel, as 8 bits keep them; what has to be known beforehand, others tell. */
export type RoundInputs = (others: readonly Seen[], scales: Float32Array) => (texts: readonly Seen[]) => Float32Array;

/** Rows divided by a scale a channel. */
const divided = ({ data }: Seen, scales: Float32Array): Float32Array => {
  const [rows, width] = [new Float32Array(data.length), scales.length];
  for (let row = 0; row < data.length; row += width) {
    for (let i = 0; i < width; i++) rows[row + i] = (data[row + i] as number) / (scales[i] as number);
  }
  return rows;
};

const rounded = (data: Float32Array, range: Range): Float32Array => {
  const [point, rows] = [fixedPointOf(range), new Float32Array(data.length)];
  for (let i = 0; i < data.length; i++) rows[i] = inSteps(data[i] as number, point);
  return rows;
};

/** Each text by its own range, as DynamicQuantizeLinear rounds. */
export const byText: RoundInputs = (_, scales) => (texts) =>
  joinedFloats(
    texts.map((text) => {
      const data = divided(text, scales);
      return rounded(data, rangeOf(data));
    }),
  );

/** All texts by one range, which a calibrator chooses on others. */
export const byRange =
  (calibrator: Calibrator): RoundInputs =>
  (others, scales) => {
    const distributing = new Distributing();
    for (const text of others) distributing.add(divided(text, scales), calibrator.counts);
    const range = calibrator.range(distributing.distribution);
    return (texts) => rounded(joinedFloats(texts.map((text) => divided(text, scales))), range);
  };
