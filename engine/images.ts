import type { PixelRule } from '../models/model.ts';
import type { HostTensor } from './engine.ts';

const SAMPLES = 256;

/** What a channel's samples are fed as, by sample. Rounded where clients round: after the scale, and after the rest. */
const tableOf = ({ scale, mean, deviation }: PixelRule, channel: number): Float32Array =>
  Float32Array.from(
    { length: SAMPLES },
    (_, sample) => (Math.fround(scale * sample) - (mean[channel] ?? 0)) / (deviation[channel] ?? 1),
  );

const tables = new WeakMap<PixelRule, readonly Float32Array[]>();

const tablesOf = (rule: PixelRule): readonly Float32Array[] => {
  const known = tables.get(rule) ?? Array.from({ length: rule.channels }, (_, channel) => tableOf(rule, channel));
  tables.set(rule, known);
  return known;
};

/** Images of rows as a model reads them: (batch, channels, height, width). Samples lie channel by channel, as encoded. */
export const imagesOf = (
  rule: PixelRule,
  samplesOf: (row: number) => ArrayLike<number> | undefined,
  rows: Int32Array,
): HostTensor => {
  const { channels, height, width } = rule;
  const area = height * width;
  const data = new Float32Array(rows.length * channels * area);
  const all = tablesOf(rule);
  rows.forEach((row, i) => {
    const samples = samplesOf(row) ?? [];
    for (let channel = 0; channel < channels; channel++) {
      const table = all[channel] as Float32Array;
      const [from, to] = [channel * area, (i * channels + channel) * area];
      for (let at = 0; at < area; at++) data[to + at] = table[samples[from + at] ?? 0] as number;
    }
  });
  return { dtype: 'float32', dims: [rows.length, channels, height, width], data };
};
