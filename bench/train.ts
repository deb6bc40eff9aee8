import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { stream } from '../data/random.ts';
import { defaultAdamW } from '../engine/adamw.ts';
import { crossEntropy } from '../engine/losses/index.ts';
import type { TrainRequest } from '../engine/train-request.ts';
import type { TrainingOptions } from '../engine/training-options.ts';
import { planTraining } from '../engine/training-plan.ts';
import { Updater } from '../engine/updater.ts';
import { buildEncoder } from '../models/encoder.ts';

/** One shape of model and batch, as both sides build it. */
interface Subject {
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly ffn: number;
  readonly vocabulary: number;
  readonly batch: number;
  readonly length: number;
}

const subjects: readonly Subject[] = [
  { hidden: 256, layers: 4, heads: 4, ffn: 1024, vocabulary: 8000, batch: 16, length: 128 },
  { hidden: 256, layers: 4, heads: 4, ffn: 1024, vocabulary: 8000, batch: 64, length: 24 },
  { hidden: 512, layers: 2, heads: 8, ffn: 1536, vocabulary: 8002, batch: 64, length: 14 },
  { hidden: 192, layers: 3, heads: 4, ffn: 768, vocabulary: 12000, batch: 64, length: 24 },
  { hidden: 96, layers: 2, heads: 4, ffn: 192, vocabulary: 8000, batch: 64, length: 14 },
];

const CLASSES = 26;
const DROPOUT = 0.1;
const WARM_UP_STEPS = 3;
const SECONDS_A_ROUND = 2;

/** Seconds of `steps` updates. */
interface Side {
  run(steps: number): Promise<number>;
  close(): Promise<void>;
}

const options = (batch: number): TrainingOptions => ({
  ...defaultAdamW,
  epochs: 1,
  steps: 1_000_000,
  batch,
  accumulate: 1,
  learningRate: 1e-4,
  headLearningRate: 1e-4,
  schedule: { kind: 'constant', warmup: 0 },
  weightDecay: 0.01,
  tokenDropout: 0,
  labelSmoothing: 0.1,
  clip: 1,
  keep: 'last',
  validationLimit: 0,
});

const requestFor = (subject: Subject, threads: number): TrainRequest => {
  const random = stream(1, 'bench');
  const texts = subject.batch * 8;
  const labels = Array.from({ length: CLASSES }, (_, i) => `class ${i}`);
  const model = buildEncoder(
    {
      ...subject,
      maxLength: subject.length,
      norm: 'pre',
      activation: 'gelu',
      pooling: 'mean',
      labels,
      dropout: DROPOUT,
      tokens: { padding: 1, unknown: 0 },
    },
    {},
    1,
  );
  return {
    model,
    examples: {
      ids: Array.from({ length: texts }, () =>
        Int32Array.from({ length: subject.length }, () => random.integer(subject.vocabulary)),
      ),
      labels: Int32Array.from({ length: texts }, () => random.integer(CLASSES)),
    },
    validation: { ids: [], labels: new Int32Array() },
    options: options(subject.batch),
    phases: [{ losses: [crossEntropy], until: 1 }],
    lossWeights: { hard: 1, hidden: 0 },
    seed: 1,
    threads,
    signal: new AbortController().signal,
    checkpoints: { folder: '', load: async () => undefined, save: async () => {} },
    progress: () => {},
  };
};

/** decant's own update, exactly as training runs it. */
const ours = (subject: Subject, threads: number): Side => {
  const request = requestFor(subject, threads);
  const lengths = Int32Array.from(request.examples.ids, ({ length }) => length);
  const updater = new Updater(request, planTraining(lengths, request.options, request.seed));
  let step = 0;
  return {
    run: async (steps) => {
      const start = performance.now();
      for (let i = 0; i < steps; i++) await updater.update(step++);
      return (performance.now() - start) / 1000;
    },
    close: () => updater.release(),
  };
};

const answers = async function* (child: ChildProcessWithoutNullStreams): AsyncGenerator<string> {
  for await (const line of createInterface({ input: child.stdout })) yield line;
};

/** PyTorch in a process of its own: one line with a number of steps goes in, one with seconds comes out. */
const rival = async (python: string, subject: Subject, threads: number): Promise<Side> => {
  const config = JSON.stringify({ ...subject, classes: CLASSES, dropout: DROPOUT, threads });
  const child = spawn(python, [join(import.meta.dirname, 'train-torch.py'), config]);
  child.stderr.pipe(process.stderr);
  const failed = new Promise<never>((_, reject) => {
    child.on('error', ({ message }) => reject(new Error(`--python ${python} does not run: ${message}`)));
  });
  const lines = answers(child);
  const next = async (): Promise<number> => {
    const { value, done } = await Promise.race([lines.next(), failed]);
    if (done === true) throw new Error(`${python} ended early; does it have torch?`);
    return Number(value);
  };
  await next();
  return {
    run: (steps) => {
      child.stdin.write(`${steps}\n`);
      return next();
    },
    close: async () => {
      child.stdin.end();
      await new Promise((resolve) => child.on('close', resolve));
    },
  };
};

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

/** Tokens a second of each side, in alternating rounds so that a machine whose speed swings treats both alike. */
const compare = async (sides: readonly Side[], subject: Subject, rounds: number): Promise<readonly number[][]> => {
  const speeds: number[][] = sides.map(() => []);
  const steps: number[] = [];
  for (const side of sides) {
    await side.run(WARM_UP_STEPS);
    steps.push(Math.max(2, Math.round((SECONDS_A_ROUND * WARM_UP_STEPS) / (await side.run(WARM_UP_STEPS)))));
  }
  for (let round = 0; round < rounds; round++) {
    for (const [i, side] of sides.entries()) {
      const count = steps[i] ?? 1;
      speeds[i]?.push((count * subject.batch * subject.length) / (await side.run(count)));
    }
  }
  return speeds;
};

const describe = ({ hidden, layers, ffn, vocabulary, batch, length }: Subject): string =>
  `${hidden} x ${layers}, ffn ${ffn}, vocabulary ${vocabulary}, batch ${batch} x ${length}`;

/** Training throughput on five shapes of encoder; with `--python PATH` beside PyTorch's eager float32. */
export const benchTrain = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      python: { type: 'string' },
      threads: { type: 'string', default: '2' },
      rounds: { type: 'string', default: '5' },
      only: { type: 'string' },
    },
  });
  const threads = Number(values.threads);
  if (values.python === undefined) {
    console.log('PyTorch is skipped: --python PATH names an interpreter that has torch');
  }
  for (const [i, subject] of subjects.entries()) {
    if (values.only !== undefined && Number(values.only) !== i) continue;
    const sides = [ours(subject, threads)];
    if (values.python !== undefined) sides.push(await rival(values.python, subject, threads));
    const [mine = [], theirs = []] = await compare(sides, subject, Number(values.rounds));
    for (const side of sides) await side.close();
    const ratios = mine.map((speed, round) => speed / (theirs[round] ?? Number.NaN));
    const beside =
      theirs.length === 0 ? '' : `, PyTorch ${median(theirs).toFixed(0)}, ratio ${median(ratios).toFixed(2)}`;
    console.log(`${describe(subject)}: ${median(mine).toFixed(0)} tokens/s${beside}`);
  }
};
