import type { Comparison, Flip, LatencyReport, ModelReport, Report, StageReport } from '../../reports/report.ts';

/** Names and texts that would do harm where they are not escaped. */
export const hostile = {
  markup: '</td></svg><script>alert(1)</script><img src=x onerror=alert(2)>',
  attribute: '" onmouseover="alert(3)" x="',
  escape: '\u001b]0;owned\u0007\u001b[2J\u202egnp.exe',
  formula: '=HYPERLINK("http://example.invalid","x")',
  markdown: '](http://example.invalid) **x** `y` | z\n# heading\n</details>',
} as const;

const model = (bytes: number, parameters: number, nonzero: number, macs: number): ModelReport => ({
  file: 'models/x/model.onnx',
  sha256: '00',
  bytes,
  gzipBytes: Math.round(bytes * 0.92),
  brotliBytes: Math.round(bytes * 0.9),
  parameters,
  nonzero,
  macs,
  macsLength: 15,
  dimensions: { hidden: 192, layers: 2, heads: 2, ffn: 384, vocabulary: 8002 },
});

export const latency = (batch: number, p50Ms: number, speedup: number): LatencyReport => ({
  batch,
  length: 15,
  threads: 1,
  busy: false,
  p50Ms,
  p90Ms: 1.1 * p50Ms,
  p95Ms: 1.2 * p50Ms,
  p99Ms: 1.4 * p50Ms,
  p50Interval: { low: 0.97 * p50Ms, high: 1.04 * p50Ms },
  p90Interval: { low: 1.05 * p50Ms, high: 1.18 * p50Ms },
  p95Interval: { low: 1.1 * p50Ms, high: 1.3 * p50Ms },
  p99Interval: { low: 1.2 * p50Ms, high: 1.6 * p50Ms },
  runs: 200,
  speedup,
  speedupInterval: { low: 0.96 * speedup, high: 1.03 * speedup },
  textsPerSecond: (1000 * batch) / p50Ms,
  relative: { estimate: p50Ms / 3, low: (0.97 * p50Ms) / 3, high: (1.04 * p50Ms) / 3 },
});

const flip = (id: number, text: string, was: string, now: string): Flip => ({
  id,
  text,
  label: was,
  was,
  now,
  margin: 2.5,
});

const comparison = (
  versus: string,
  role: Comparison['role'],
  estimate: number,
  labels: readonly string[],
): Comparison => ({
  versus,
  role,
  score: { estimate, low: estimate - 0.006, high: estimate + 0.006 },
  mcnemar: { gained: 310, lost: 359, p: 0.064, method: 'mid-p' },
  agreement: 0.91,
  kl: 0.0721,
  classes: labels.map((label, i) => ({
    label,
    difference: { estimate: (i - 2) / 50, low: (i - 3) / 50, high: (i - 1) / 50 },
  })),
  flips: {
    lost: Array.from({ length: 7 }, (_, i) =>
      flip(i, `a small tree of the genus number ${i}`, labels[0] ?? '', labels[1] ?? ''),
    ),
    gained: [flip(20, hostile.markup, labels[1] ?? '', labels[0] ?? '')],
  },
});

const over = (estimate: number): StageReport['overBaseline'] => ({
  ...{ baseline: 'linear', paired: true },
  score: { estimate, low: estimate - 0.008, high: estimate + 0.008 },
});

/** A stage with nothing but its name. */
export const bareStage = (id: string, extra: Partial<StageReport> = {}): StageReport => ({
  id,
  uses: 'train',
  version: 1,
  config: {},
  inputs: {},
  cached: false,
  seconds: 12.3,
  ranOn: null,
  model: null,
  quality: null,
  agreement: null,
  difference: null,
  overBaseline: null,
  comparisons: [],
  latency: [],
  loading: null,
  training: null,
  client: null,
  usage: null,
  time: null,
  undecided: false,
  causes: [],
  gap: null,
  notes: [],
  ...extra,
});

const quality = (score: number, labels: readonly string[]): StageReport['quality'] => ({
  ...{ metric: 'accuracy', score, scoreInterval: { low: score - 0.009, high: score + 0.009 } },
  more: {
    macroF1: { value: score - 0.1, interval: { low: score - 0.12, high: score - 0.08 } },
    loss: { value: 0.85, interval: null },
    calibrationError: { value: 0.031, interval: null },
  },
  examples: 8154,
  classes: labels.map((label, i) => ({
    label,
    support: 100 + i,
    precision: 0.8,
    recall: 0.7,
    f1: 0.75,
    f1Interval: { low: 0.7, high: 0.8 },
  })),
});

/** Of an empty list of classes nothing is confused. */
const answersOf = (labels: readonly string[]): Report['answers'] => {
  const [first = '', second = first] = labels;
  return {
    ...{ stage: 'int8', leftOut: 0, scatter: [] },
    confusion:
      labels.length === 0
        ? []
        : [
            { label: first, said: first, count: 90 },
            { label: first, said: second, count: 10 },
            { label: second, said: null, count: 3 },
          ],
    mistakes: [
      { id: 7, text: hostile.markup, label: first, said: second, confidence: 0.981, error: null },
      { id: 8, text: 'a small tree', label: second, said: first, confidence: 0.93, error: null },
    ],
    reliability: [
      { low: 0.5, high: 0.6, count: 40, confidence: 0.55, right: 0.5 },
      { low: 0.9, high: 1, count: 60, confidence: 0.97, right: 0.95 },
    ],
  };
};

const blocks = (bits: number, bytes: number, harm: number) => ({ storage: `int${bits}`, block: 32, bytes, harm });

/** What a budget came to: one of its weights is called what would do harm. */
const quantized = (weight: string): NonNullable<StageReport['quantization']> => ({
  ...{ format: 'q4', quantized: 2, kept: 1, bytesBefore: 8_440_000, bytesAfter: 1_300_000 },
  weights: [
    {
      name: 'words',
      dims: [8002, 176],
      storage: 'int4',
      bytesBefore: 5_633_408,
      bytesAfter: 990_000,
      depth: 'embeddings',
    },
    { name: weight, dims: [192, 576], storage: 'int8', bytesBefore: 442_368, bytesAfter: 124_416, depth: 'layers.0' },
    { name: 'head', dims: [26, 192], storage: 'float32', reason: 'excluded', bytesBefore: 19_968, bytesAfter: 19_968 },
  ],
  smoothing: [{ input: 'hidden', alpha: 0.55, error: 0.4, outliers: [7, 3] }],
  ranges: [{ input: 'hidden', low: -3.2, high: 4.5, clipped: 0.0001 }],
  islands: { wide: 20_000 },
  layers: [
    { layer: 0, mean: 0.9987, least: 0.995 },
    { layer: 1, mean: 0.9954, least: 0.983 },
  ],
  budget: {
    ...{ asked: { maxDrop: '0.3pt' }, whole: 0.0024, predicted: 0.00115, reached: 0.00113, bytes: 1_335_325 },
    sites: [
      {
        ...{ weight: 'words', depth: 'embeddings', storage: 'int4', block: 32, harm: 0.00085 },
        why: '8 bits would save 0.00085 for 728 kB',
        options: [blocks(4, 0, 0.00085), blocks(8, 728_183, 0.000003)],
      },
      {
        ...{ weight, depth: 'layers.0', storage: 'int8', block: 32, harm: 0.000003 },
        why: 'loses 0.0005 in 4 bits, 21 % of what all lose',
        options: [blocks(4, 0, 0.0005), blocks(8, 57_024, 0.000003)],
      },
    ],
    curve: [
      { bytes: 1_278_301, predicted: 0.0024, drop: { estimate: 0.0016, low: -0.0026, high: 0.0058 } },
      { bytes: 1_335_325, predicted: 0.00115, drop: { estimate: -0.0008, low: -0.0044, high: 0.0027 } },
      { bytes: 2_063_508, predicted: 0.00001 },
    ],
    drop: {
      ...{ metric: 'accuracy', answers: 2461, of: 'validation texts' },
      ...{ estimate: -0.0008, low: -0.0044, high: 0.0027 },
    },
  },
});

/** A report with every part, its class names as given. */
export const fullReport = (
  classes: readonly string[] = ['act', 'animal', 'artifact', 'body', 'food'],
  name = 'supersense',
): Report => ({
  schema: bare.schema,
  name,
  created: '2026-11-01T12:00:00.000Z',
  seed: 1,
  pipeline: {
    yaml: `name: ${JSON.stringify(name)}\nstages: []  # <b>\n`,
    overrides: ['data.limit=8000', "x='; rm -rf /"],
  },
  environment: bare.environment,
  data: { ...bare.data, classes },
  reference: 'teacher',
  measurement: {
    rounds: 12,
    threads: 1,
    processes: 4,
    load: { busy: false, disturbed: 0.04, waited: 0.013, average: [0.4, 1.1], stolen: 0.001, switches: 212 },
    referenceKernel: { name: 'matmul-12x256x128', p50Ms: 0.81 },
    drift: { ratio: 1.34, flagged: true },
    warmUp: { medianRuns: 6, mostRuns: 24, unsettledShare: 0.02 },
    runtimePeakBytes: 58_000_000,
  },
  cost: { training: 400, evaluation: 30, measurement: 80, other: 12, overhead: 3 },
  stages: [
    bareStage('teacher', {
      model: model(27_059_252, 6_759_194, 6_759_194, 70_154_752),
      quality: quality(0.802, classes),
      difference: { score: 0, low: -0.0003, high: 0.0003 },
      agreement: { top1: 1, kl: 0 },
      latency: [latency(1, 2.23, 1), latency(32, 44.2, 1)],
      loading: { sessionMs: 41, firstRunMs: 3.2, peakBytes: 191_000_000, processes: 3, busy: false },
      training: {
        steps: 500,
        epochs: 4,
        tokensPerSecond: 7881,
        paddingFraction: 0.011,
        metric: 'accuracy',
        curve: Array.from({ length: 300 }, (_, i) => ({
          step: i,
          epoch: i / 75,
          loss: 3 / (1 + i / 20),
          ...(i % 75 === 74 ? { score: 0.7 + i / 4000 } : {}),
        })),
      },
      time: {
        totalMs: 2.1,
        operators: [
          { op: 'MatMul', ms: 1.7, count: 12 },
          { op: 'Softmax', ms: 0.2, count: 2 },
        ],
        layers: [{ layer: 'layer 0', ms: 1 }],
      },
    }),
    bareStage('student', {
      uses: 'distill',
      inputs: { model: 'teacher' },
      model: model(8_810_000, 2_190_000, 1_000_000, 9_000_000),
      quality: quality(0.796, classes),
      difference: { score: -0.006, low: -0.012, high: 0 },
      agreement: { top1: 0.9, kl: 0.07 },
      overBaseline: over(0.065),
      comparisons: [comparison('teacher', 'reference', -0.006, classes)],
      latency: [latency(1, 0.264, 8.5), latency(32, 7.4, 6)],
    }),
    bareStage('int8', {
      uses: 'quantize',
      cached: true,
      inputs: { model: 'student' },
      model: model(2_370_000, 2_190_000, 2_100_000, 9_000_000),
      quality: quality(0.797, classes),
      difference: { score: -0.005, low: -0.011, high: 0.001 },
      agreement: { top1: 0.9, kl: 0.07 },
      overBaseline: over(0.066),
      comparisons: [
        comparison('teacher', 'reference', -0.005, classes),
        comparison('student', 'previous', 0.001, classes),
      ],
      latency: [latency(1, 0.142, 15.7), latency(32, 3.4, 13.2)],
      loading: { sessionMs: 9, firstRunMs: 0.4, peakBytes: 120_000_000, processes: 3, busy: false },
      quantization: quantized(hostile.markup),
      time: {
        totalMs: 0.13,
        operators: Array.from({ length: 14 }, (_, i) => ({ op: `Op${i}`, ms: 0.02 / (i + 1), count: i + 1 })),
        layers: [{ layer: 'embeddings', ms: 0.01 }],
      },
      causes: [
        {
          name: 'fixed-cost',
          about: 'time',
          finding: 'A third of the time is the cost of starting nodes',
          evidence: 'An empty graph of 61 nodes takes 0.04 ms',
          advice: 'Send several texts at once',
          share: 0.31,
        },
      ],
      gap: {
        versus: 'teacher',
        macRatio: 6.86,
        timeRatio: 14.9,
        ms: 0.132,
        expectedMs: 0.287,
        gapMs: -0.155,
        parts: [
          { name: 'fixed cost of a run', ms: 0.01, expectedMs: 0.002 },
          { name: 'products', ms: 0.122, expectedMs: 0.281 },
        ],
        unexplainedMs: -0.004,
        explained: 0.974,
      },
      notes: ['kept | the classifier in float'],
    }),
    bareStage('deploy', {
      ...{ uses: 'export', inputs: { fp32: 'student', q8: 'int8' } },
      usage: { node: "import 'x';\nrun('./deploy');", browser: '<script>', python: 'import numpy' },
    }),
  ],
  answers: answersOf(classes),
  gates: [],
  seconds: 525,
});

/** What a run that ended at once leaves. */
export const bare: Report = {
  schema: 'decant.report/1',
  name: 'empty',
  created: '2026-11-01T12:00:00.000Z',
  seed: 1,
  pipeline: { yaml: '', overrides: [] },
  environment: {
    cpu: 'some cpu',
    cpuFlags: ['avx2'],
    threads: 2,
    node: '20.0.0',
    onnxruntime: '1.30.0',
    decant: '0.1.0',
  },
  data: {
    uses: 'csv',
    task: 'text-classification',
    train: 8000,
    unlabelled: 62_954,
    validation: 2461,
    test: 8154,
    classes: [],
    remarks: [],
    baselines: {
      majority: { score: 0.14, called: 'majority class', bytes: 4, scoreInterval: null, difference: null },
      linear: {
        ...{ score: 0.731, called: 'linear bag of words', scoreInterval: { low: 0.721, high: 0.741 } },
        difference: { score: -0.071, low: -0.08, high: -0.062 },
        ...{ bytes: 4_210_000, msPerText: 0.0213, busy: false },
      },
    },
  },
  reference: null,
  measurement: null,
  cost: { training: 0, evaluation: 0, measurement: 0, other: 0, overhead: 0 },
  stages: [],
  answers: null,
  gates: [],
  seconds: 0.4,
};
