import { z } from 'zod';
import { type Metric, metrics } from '../../ground/metrics/index.ts';
import { canBeLimited, type Scale } from '../../ground/metrics/metric.ts';
import { type Gate, isRelative } from './gate.ts';

const CONFIDENCE = 0.95;

/** A number with one of the given units, as the product of both. */
const quantity = (units: Readonly<Record<string, number>>, expected: string) => {
  const pattern = new RegExp(`^(\\d+(?:\\.\\d+)?) ?(${Object.keys(units).join('|')})$`);
  return z
    .string(expected)
    .regex(pattern, expected)
    .transform((text) => {
      const [, number, unit = ''] = pattern.exec(text) ?? [];
      return Number(number) * (units[unit] ?? Number.NaN);
    });
};

const points = quantity({ pt: 0.01, pp: 0.01, points: 0.01 }, 'expected points such as 0.5pt');
const wantsRate = 'expected a rate such as 79% or 0.79';
const rate = z.union([z.number().min(0).max(1), quantity({ '%': 0.01 }, wantsRate)], wantsRate);
const milliseconds = quantity({ ms: 1, us: 0.001, s: 1000 }, 'expected a time such as 0.2ms');
const wantsSize = 'expected bytes such as 2MB or 2000000';
const sizeUnits = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };
const size = z.union([z.int().min(0), quantity(sizeUnits, wantsSize)], wantsSize);
const wantsAmount = 'expected a count such as 2M or 2000000';
const amount = z.union([z.int().min(0), quantity({ k: 1e3, M: 1e6, G: 1e9 }, wantsAmount)], wantsAmount);
const ratio = z.number().gt(0).max(1000);

const versus = z
  .string()
  .min(1)
  .optional()
  .describe('Stage of the same report, or `baseline`: the same stage in the first report of `decant diff`.');
const confidence = z
  .number()
  .gt(0.5)
  .lt(1)
  .default(CONFIDENCE)
  .describe('Of the interval that must lie on one side of the limit; otherwise the gate is undecided.');

interface Limited {
  readonly min?: unknown;
  readonly max?: unknown;
  readonly maxDrop?: unknown;
  readonly maxRise?: unknown;
  readonly maxRatio?: unknown;
  readonly versus?: unknown;
}

const relativeLimits = ['maxDrop', 'maxRise', 'maxRatio'] as const;

/** A gate needs a limit, a relative limit what it is relative to, and nothing else has any use for it. */
const complain = (limited: Limited, relatives: readonly string[]): string | undefined => {
  const relative = relativeLimits.find((name) => limited[name] !== undefined);
  if (relative === undefined && limited.min === undefined && limited.max === undefined)
    return 'there is no limit in it';
  if (relative !== undefined && limited.versus === undefined) {
    return `${relative} needs versus: a stage, or baseline`;
  }
  return relative === undefined && limited.versus !== undefined
    ? `versus has no meaning without ${relatives.join(' or ')}`
    : undefined;
};

const limited = <T extends z.ZodRawShape>(shape: T) => {
  const relatives = relativeLimits.filter((name) => name in shape);
  return z.strictObject(shape).superRefine((value: Limited, context) => {
    // What is misspelt is not there: that was said already.
    const message = context.issues.length > 0 ? undefined : complain(value, relatives);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
};

const counted = (what: z.ZodType<number, number | string>, about: string) =>
  limited({
    max: what.optional().describe(`At most so much, ${about}.`),
    maxRatio: ratio.optional().describe('At most so many times that of `versus`.'),
    versus,
  }).optional();

/** A figure, and a difference of it, in the scale of a metric. */
const amounts = ({ gate: { kind }, most }: Scale) => {
  if (kind === 'rate') return { value: rate, change: points };
  return {
    value: z.number().min(-most).max(most),
    change: z
      .number()
      .min(0)
      .max(2 * most),
  };
};

/** Limits on a metric: at the end at which its figures are bad. */
const onMetric = ({ scale, better, words }: Metric) => {
  const { value, change } = amounts(scale);
  const [least, further] = [`such as \`${scale.gate.value}\``, `such as \`${scale.gate.change}\``];
  const limits =
    better === 'higher'
      ? {
          min: value.optional().describe(`At least so much, ${least}.`),
          maxDrop: change.optional().describe(`At most so much below \`versus\`, ${further}.`),
        }
      : {
          max: value.optional().describe(`At most so much, ${least}.`),
          maxRise: change.optional().describe(`At most so much above \`versus\`, ${further}.`),
        };
  return limited({ ...limits, versus, confidence })
    .optional()
    .describe(`On the test split: ${words}.`);
};

const metricGates = Object.fromEntries(
  metrics.filter(canBeLimited).map((metric) => [metric.name, onMetric(metric)] as const),
);

/** The gates of one stage, as YAML has them. */
export const stageGates = z
  .strictObject({
    ...metricGates,
    p50: limited({
      max: milliseconds.optional().describe('At most so long, such as `0.2ms`.'),
      maxRatio: ratio.optional().describe('At most so many times the latency of `versus`.'),
      versus,
      confidence,
      batch: z.int().min(1).optional().describe('The batch that was measured; left out, the first.'),
      length: z.int().min(1).optional().describe('The length in tokens that was measured; left out, the first.'),
    })
      .optional()
      .describe('Median latency.'),
    bytes: counted(size, 'such as `2MB`').describe('The model file with its external data.'),
    gzipBytes: counted(size, 'such as `2MB`').describe('The same after gzip.'),
    brotliBytes: counted(size, 'such as `2MB`').describe('The same after brotli.'),
    parameters: counted(amount, 'such as `2M`').describe('Numbers in the weights.'),
    nonzero: counted(amount, 'such as `2M`').describe('Those of them that are not 0.'),
    macs: counted(amount, 'such as `9M`').describe('Multiply-accumulates of one text.'),
  })
  .refine(
    (gates) => Object.values(gates).some((gate) => gate !== undefined),
    'expected at least one figure with a limit',
  );

const limitNames = ['min', 'max', 'maxDrop', 'maxRise', 'maxRatio'] as const;

type Given = Readonly<Record<string, unknown>>;

const isGiven = (value: unknown): value is Given => typeof value === 'object' && value !== null;

const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);

/** The gates on one figure. */
const onFigure = (stage: string, figure: string, given: Given): readonly Gate[] =>
  limitNames.flatMap((limit): Gate[] => {
    const { [limit]: value, versus: other, confidence: asked, batch, length } = given;
    if (typeof value !== 'number') return [];
    return [
      {
        ...{ stage, figure, limit, value },
        versus: isRelative(limit) && typeof other === 'string' ? other : null,
        confidence: numberOf(asked) ?? CONFIDENCE,
        batch: numberOf(batch),
        length: numberOf(length),
      },
    ];
  });

/** One gate a limit. */
export const gatesOf = (stage: string, options: z.output<typeof stageGates>): readonly Gate[] =>
  Object.entries(options).flatMap(([figure, given]) => (isGiven(given) ? onFigure(stage, figure, given) : []));
