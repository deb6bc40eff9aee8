import { z } from 'zod';
import type { QuantizeOptions } from '../../graph/quantize/choose.ts';
import { activationKinds, fixesRanges } from '../../graph/quantize/format.ts';
import { formats } from '../../graph/quantize/formats/index.ts';
import { blockSizes } from '../../graph/quantize/grid.ts';
import { bytesIn } from '../../ground/bytes.ts';
import { modelTask, type TaskName } from '../../ground/tasks.ts';
import { recover } from '../distill/recover-options.ts';
import { pointsIn } from './budget.ts';
import { calibrators } from './calibrators/index.ts';
import { roundingOf, roundings } from './roundings/index.ts';
import type { Rounding } from './roundings/rounding.ts';

const formatNames = formats.map(({ name }) => name);

/** Training texts that are read where nobody says how many. */
export const CALIBRATION = 256;

const described = (list: readonly { readonly name: string; readonly summary: string }[]): string =>
  list.map(({ name, summary }) => `${name}: ${summary}`).join('; ');

const wantsDrop = "expected points such as '0.5pt', or a number in the unit of the metric";

const options = z.strictObject({
  format: z
    .enum(formatNames)
    .default('int8')
    .meta({ description: `What weights are stored and computed in. ${described(formats)}.` }),
  embeddings: z
    .boolean()
    .default(true)
    .meta({ description: 'Whether embedding tables are stored so, too: most of the bytes of small models.' }),
  reduceRange: z
    .boolean()
    .default(false)
    .meta({ description: '7-bit weights, for x86 CPUs without VNNI, whose 8-bit products saturate.' }),
  exclude: z.array(z.string().min(1)).default([]).meta({
    description:
      'Names of weights that stay in float; * stands for any text, and a name that fits nothing is an error.',
  }),
  block: z.literal(blockSizes).exactOptional().meta({
    description:
      'Numbers that share a scale, in formats of blocks (default 32): fewer are nearer, more take fewer bytes.',
  }),
  zeroPoint: z.boolean().exactOptional().meta({
    description: 'Whether each block has a zero point of its own (the default), in formats of blocks.',
  }),
  activations: z.enum(activationKinds).exactOptional().meta({
    description:
      'What products multiply by, in formats of blocks: floats (the default), or floats rounded to 8 bits as it runs (the default of decoders, whose new tokens take half the time so).',
  }),
  rounding: z
    .enum(roundings.map(({ name }) => name))
    .exactOptional()
    .meta({
      description: `How matrices are rounded to blocks (default gptq, of 8 bits nearest). ${described(roundings)}.`,
    }),
  smooth: z.boolean().exactOptional().meta({
    description:
      'Whether activations are evened out before 8-bit products (the default), where training texts show that products err less by it.',
  }),
  calibrator: z
    .enum(calibrators.map(({ name }) => name))
    .exactOptional()
    .meta({
      description: `What the 256 steps of an activation span, where ranges come from texts (default ${calibrators[0].name}). ${described(calibrators)}.`,
    }),
  budget: z
    .strictObject({
      bytes: z
        .string()
        .refine((text) => bytesIn(text) !== undefined, "expected bytes such as '16MB'")
        .exactOptional()
        .meta({ description: 'Bytes of the file, as 16MB: it loses as little as so many bytes allow.' }),
      maxDrop: z
        .union([z.string().refine((text) => pointsIn(text) !== undefined, wantsDrop), z.number().min(0)], wantsDrop)
        .exactOptional()
        .meta({
          description:
            "What the file may lose of the task's metric on validation texts, with confidence: the upper end of the paired 95 % interval is within it. Points of a metric in per cent, as 0.5pt; of another a number in its unit, as 0.01 of a correlation or of nats.",
        }),
    })
    .refine(({ bytes, maxDrop }) => bytes !== undefined || maxDrop !== undefined, 'expected bytes or maxDrop, or both')
    .exactOptional()
    .meta({
      description:
        'In formats of 4 and 2 bits: weights that lose most by them get more, as many as fit into bytes, or as few as hold maxDrop. What each loses is measured with that weight alone in few bits.',
    }),
  recover: recover.exactOptional().meta({
    description:
      'Training of weights that are seen as they will be stored (quantization-aware): the options of train or distill.',
  }),
  calibration: z.int().min(1).exactOptional().meta({
    description: 'Training texts that are read to see what activations are like (default 256).',
  }),
});

type Options = z.output<typeof options>;

export const formatOf = (name: Options['format']): (typeof formats)[number] => {
  const found = formats.find((format) => format.name === name);
  if (found === undefined) throw new Error(`there is no format '${name}'`);
  return found;
};

type Products = ReturnType<typeof formatOf>['products'];

/** How a format is rounded where nobody says: 8 bits err so little that no text tells the difference. */
const byDefault = (format: (typeof formats)[number]): string | undefined =>
  format.products.kind === 'blocks' && format.products.bits === 8 ? 'nearest' : undefined;

/** How matrices are rounded to blocks. */
export const roundingIn = ({ format, rounding }: Pick<Options, 'format' | 'rounding'>): Rounding =>
  roundingOf(rounding ?? byDefault(formatOf(format)));

/** Options that belong to a way of storing products, and why others have no use for them. */
const belongings = [
  {
    keys: ['block', 'zeroPoint', 'activations', 'rounding', 'budget'],
    belong: ({ kind }: Products) => kind === 'blocks',
    why: 'stores no blocks',
  },
  { keys: ['recover'], belong: ({ kind }: Products) => kind !== 'floats', why: 'rounds nothing to whole numbers' },
  { keys: ['smooth'], belong: ({ kind }: Products) => kind === 'integers', why: 'has no 8-bit products' },
  {
    keys: ['calibrator'],
    belong: (products: Products) => fixesRanges({ products }),
    why: 'finds ranges as it runs, or has none',
  },
] as const;

/** Options that the format has no use for: something else than what was asked would be made. */
const misplaced = (given: Options): readonly (readonly [string, string])[] => {
  const { products } = formatOf(given.format);
  const idle = belongings.flatMap(({ keys, belong, why }) =>
    belong(products) ? [] : keys.flatMap((key) => (given[key] === undefined ? [] : [[key, why] as const])),
  );
  return given.reduceRange && products.kind !== 'integers' ? [...idle, ['reduceRange', 'has no 8-bit products']] : idle;
};

/** Whether activations have to be seen. */
export const needsTexts = (given: Options): boolean => {
  const format = formatOf(given.format);
  const { products, floats } = format;
  if (floats === 'float16' || fixesRanges(format)) return true;
  if (products.kind === 'integers') return given.smooth !== false;
  return products.kind === 'blocks' && (roundingIn(given).readsInputs || given.budget !== undefined);
};

export const config = options.superRefine((given, ctx) => {
  for (const [key, why] of misplaced(given)) {
    const message = `the format ${given.format} ${why}: leave ${key} out, or name another format`;
    ctx.addIssue({ code: 'custom', path: [key], message });
  }
  if (given.calibration !== undefined && !needsTexts(given)) {
    const message = 'no activations are looked at: leave calibration out';
    ctx.addIssue({ code: 'custom', path: ['calibration'], message });
  }
  if (given.recover?.precision === 'fp16') {
    const message = 'weights are rounded in float32 while they are trained: leave precision out';
    ctx.addIssue({ code: 'custom', path: ['recover', 'precision'], message });
  }
});

export type Config = z.output<typeof config>;

/** What products in blocks multiply by where nobody says: a new token of a decoder is all about reading weights. */
const activationsOf = ({ format, activations }: Config, task: TaskName): Pick<QuantizeOptions, 'activations'> => {
  const { products, floats } = formatOf(format);
  const decodes = modelTask(task).reads === 'before' && products.kind === 'blocks' && floats === 'float32';
  const chosen = activations ?? (decodes ? 'int8' : undefined);
  return chosen === undefined ? {} : { activations: chosen };
};

/** What the choice of forms goes by. */
export const optionsOf = (given: Config, task: TaskName): QuantizeOptions => ({
  ...{ embeddings: given.embeddings, reduceRange: given.reduceRange, exclude: given.exclude },
  format: formatOf(given.format),
  ...activationsOf(given, task),
  ...(given.block === undefined ? {} : { block: given.block }),
  ...(given.zeroPoint === undefined ? {} : { zeroPoint: given.zeroPoint }),
});
