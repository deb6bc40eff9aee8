import { z } from 'zod';
import { userErrors } from '../ground/errors.ts';
import { verifySeal } from './checksum.ts';
import { gateReportSchema } from './gates/schema.ts';
import type { Report } from './report.ts';
import { oneLine } from './text.ts';

const bounds = z.looseObject({ low: z.number(), high: z.number() });
const interval = z.looseObject({ estimate: z.number(), low: z.number(), high: z.number() });

/** NaN and infinities are null in JSON. */
const figure = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);

const flip = z.looseObject({
  id: z.number(),
  text: z.string(),
  label: z.string(),
  was: z.string(),
  now: z.string(),
  margin: z.number(),
});

const comparison = z.looseObject({
  versus: z.string(),
  role: z.enum(['reference', 'previous']),
  accuracy: interval,
  mcnemar: z
    .looseObject({
      gained: z.number(),
      lost: z.number(),
      p: z.number(),
      method: z.enum(['exact', 'mid-p', 'clustered']),
    })
    .nullable(),
  agreement: z.number().nullable(),
  kl: z.number().nullable(),
  classes: z.array(z.looseObject({ label: z.string(), difference: interval })),
  flips: z.looseObject({ lost: z.array(flip), gained: z.array(flip) }),
});

const quality = z.looseObject({
  accuracy: z.number(),
  accuracyInterval: bounds,
  macroF1: z.number().nullable(),
  macroF1Interval: bounds.nullable(),
  loss: z.number().nullable(),
  calibrationError: z.number().nullable(),
  examples: z.number(),
  effectiveExamples: z.number().exactOptional(),
  spearman: z.number().exactOptional(),
  classes: z.array(
    z.looseObject({
      label: z.string(),
      support: z.number(),
      precision: z.number(),
      recall: z.number(),
      f1: z.number(),
      f1Interval: bounds,
    }),
  ),
});

const latency = z.looseObject({
  batch: z.number(),
  length: z.number(),
  threads: z.number(),
  busy: z.boolean().default(false),
  p50Ms: z.number(),
  p90Ms: z.number(),
  p95Ms: z.number(),
  p99Ms: z.number(),
  p50Interval: bounds,
  p90Interval: bounds.nullable().default(null),
  p95Interval: bounds.nullable().default(null),
  p99Interval: bounds.nullable().default(null),
  runs: z.number(),
  speedup: z.number().nullable(),
  speedupInterval: bounds.nullable(),
  textsPerSecond: figure,
  relative: interval.nullable(),
});

const model = z.looseObject({
  file: z.string(),
  sha256: z.string(),
  bytes: z.number(),
  gzipBytes: z.number(),
  brotliBytes: z.number(),
  parameters: z.number(),
  nonzero: z.number(),
  macs: z.number(),
  macsLength: z.number(),
  dimensions: z.record(z.string(), z.number()),
});

const training = z.looseObject({
  steps: z.number(),
  epochs: z.number(),
  tokensPerSecond: z.number(),
  paddingFraction: z.number(),
  curve: z.array(
    z.looseObject({ step: z.number(), epoch: z.number(), loss: figure, accuracy: z.number().exactOptional() }),
  ),
});

const stage = z.looseObject({
  id: z.string(),
  uses: z.string(),
  version: z.number(),
  config: z.record(z.string(), z.json()),
  inputs: z.record(z.string(), z.string()),
  cached: z.boolean(),
  seconds: z.number(),
  model: model.nullable(),
  quality: quality.nullable(),
  agreement: z.looseObject({ top1: z.number(), kl: figure }).nullable(),
  difference: z.looseObject({ accuracy: z.number(), low: z.number(), high: z.number() }).nullable(),
  comparisons: z.array(comparison),
  latency: z.array(latency),
  loading: z
    .looseObject({
      sessionMs: z.number(),
      firstRunMs: z.number(),
      peakBytes: z.number(),
      processes: z.number().nullable().default(null),
      busy: z.boolean().default(false),
    })
    .nullable(),
  time: z
    .looseObject({
      totalMs: z.number(),
      operators: z.array(z.looseObject({ op: z.string(), ms: z.number(), count: z.number() })),
      layers: z.array(z.looseObject({ layer: z.string(), ms: z.number() })),
    })
    .nullable(),
  undecided: z.boolean().default(false),
  causes: z.array(
    z.looseObject({
      name: z.string(),
      about: z.enum(['time', 'bytes']).default('time'),
      finding: z.string(),
      evidence: z.string(),
      advice: z.string(),
      share: z.number().nullable(),
    }),
  ),
  gap: z
    .looseObject({
      versus: z.string(),
      macRatio: z.number(),
      timeRatio: z.number(),
      ms: z.number(),
      expectedMs: z.number(),
      gapMs: z.number(),
      parts: z.array(z.looseObject({ name: z.string(), ms: z.number(), expectedMs: z.number() })),
      unexplainedMs: z.number(),
      explained: z.number().nullable(),
    })
    .nullable()
    .default(null),
  training: training.nullable(),
  client: z
    .looseObject({
      differing: z.number(),
      cut: z.number(),
      texts: z.number(),
      accuracy: z.number().nullable(),
      first: z.looseObject({ text: z.string(), tokens: z.array(z.string()), client: z.array(z.string()) }).nullable(),
      settings: z.array(z.string()),
    })
    .nullable()
    .default(null),
  notes: z.array(z.string()),
});

const load = z.looseObject({
  busy: z.boolean(),
  disturbed: z.number(),
  waited: z.number(),
  average: z.tuple([z.number(), z.number()]).nullable(),
  stolen: z.number().nullable(),
  switches: z.number(),
});

const spread = z
  .looseObject({
    mean: z.number(),
    deviation: z.number().nullable(),
    worst: z.number(),
    worstSeed: z.number(),
    values: z.array(z.number().nullable()),
  })
  .nullable();

const seeds = z.looseObject({
  list: z.array(z.number()),
  seconds: z.array(z.number()),
  stages: z.array(
    z.looseObject({
      id: z.string(),
      accuracy: spread,
      macroF1: spread,
      loss: spread,
      difference: spread,
      agreement: z.looseObject({ top1: spread, kl: spread }),
      bytes: spread,
      gzipBytes: spread,
      latency: z.array(z.looseObject({ batch: z.number(), length: z.number(), p50Ms: spread, speedup: spread })),
    }),
  ),
});

/** report.json as other tools read it. Fields may be added; those that are here keep their names and units. */
const reportSchema = z.looseObject({
  schema: z.literal('decant.report/1'),
  name: z.string(),
  created: z.string(),
  seed: z.number(),
  pipeline: z.looseObject({ yaml: z.string(), overrides: z.array(z.string()), until: z.string().exactOptional() }),
  environment: z.looseObject({
    cpu: z.string(),
    cpuFlags: z.array(z.string()),
    threads: z.number(),
    node: z.string(),
    onnxruntime: z.string(),
    decant: z.string(),
  }),
  data: z.looseObject({
    uses: z.string(),
    task: z.enum(['text-classification', 'token-classification', 'features']).default('text-classification'),
    train: z.number(),
    unlabelled: z.number(),
    validation: z.number(),
    test: z.number(),
    classes: z.array(z.string()),
    remarks: z.array(z.string()).default([]),
    baselines: z
      .looseObject({
        majority: z.looseObject({ accuracy: z.number() }),
        linear: z.looseObject({ accuracy: z.number() }).exactOptional(),
        lexicon: z.looseObject({ accuracy: z.number() }).exactOptional(),
      })
      .nullable(),
  }),
  reference: z.string().nullable(),
  measurement: z
    .looseObject({
      rounds: z.number(),
      threads: z.number(),
      processes: z.number(),
      load: load.nullable().default(null),
      referenceKernel: z.looseObject({ name: z.string(), p50Ms: z.number() }).nullable(),
      drift: z.looseObject({ ratio: z.number(), flagged: z.boolean() }).nullable(),
      warmUp: z
        .looseObject({ medianRuns: z.number(), mostRuns: z.number(), unsettledShare: z.number() })
        .nullable()
        .default(null),
      runtimePeakBytes: z.number().nullable().default(null),
    })
    .nullable(),
  cost: z.looseObject({
    training: z.number(),
    evaluation: z.number(),
    measurement: z.number(),
    other: z.number(),
    overhead: z.number(),
  }),
  stages: z.array(stage),
  gates: z.array(gateReportSchema).default([]),
  seconds: z.number(),
  seeds: seeds.exactOptional(),
  checksum: z.string().exactOptional(),
}) satisfies z.ZodType<Report>;

/** JSON Schema of report.json, for tools that read it. Its $id is the version that every report names. */
export const reportJsonSchema = (): Record<string, unknown> => {
  const { $schema, ...rest } = z.toJSONSchema(reportSchema, { io: 'input' });
  const about = { $schema, $id: `urn:${reportSchema.shape.schema.value.replace('/', ':')}`, title: 'decant report' };
  return { ...about, ...rest };
};

/** The text of a report is none, or one of another version. */
const reportError = userErrors('report');

const versionOf = (value: unknown): string | undefined => {
  const schema = typeof value === 'object' && value !== null && 'schema' in value ? value.schema : undefined;
  return typeof schema === 'string' ? oneLine(schema) : undefined;
};

/** What to do about a report of another version. */
const remedy = (found: string, wanted: string): string => {
  const [kind, version] = found.split('/');
  const [ours, known] = wanted.split('/');
  if (kind !== ours || !(Number(version) >= 0)) return '';
  return Number(version) > Number(known)
    ? ': update decant, or run the pipeline with this version'
    : ': run the pipeline again, or read it with the version that wrote it';
};

const jsonOf = (text: string, where: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = oneLine(error instanceof Error ? error.message : String(error));
    throw reportError(`${where} is no JSON (${reason}); was it cut short? decant report RUN writes it again`);
  }
};

/** Reads report.json. Throws an error that says what was found where another version or something else is. */
export const parseReport = (text: string, where: string): Report => {
  const value = jsonOf(text, where);
  const found = versionOf(value);
  const wanted = reportSchema.shape.schema.value;
  if (found !== wanted) {
    throw reportError(
      found === undefined
        ? `${where} is no report of decant: it has no "schema": "${wanted}"`
        : `${where} has the schema "${found}"; this version of decant reads "${wanted}"${remedy(found, wanted)}`,
    );
  }
  if (typeof value === 'object' && value !== null) verifySeal(value, where);
  const parsed = reportSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw reportError(
    `${where} is damaged or of an older version: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}; decant run writes it anew`,
  );
};
