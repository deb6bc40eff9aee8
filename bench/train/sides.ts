import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { lengthsOf } from '../../data/lengths.ts';
import { tokensOf } from '../../engine/encoded.ts';
import type { TrainRequest } from '../../engine/train-request.ts';
import { planTraining, type TrainingPlan } from '../../engine/training-plan.ts';
import type { TimeSpent } from '../../engine/updater.ts';
import { openUpdater } from '../../engine/updaters/index.ts';
import { parameterNames } from '../../graph/sites.ts';
import { bytesOf, float32Of } from '../../graph/tensor.ts';
import { peakBytes } from '../../ground/peak.ts';
import { type Model, tokensIn } from '../../models/model.ts';
import { LABEL_SMOOTHING, LEARNING_RATE, requestFor, type Setting, WEIGHT_DECAY } from './subject.ts';

interface Stretch {
  readonly seconds: number;
  /** Real ones, padding not counted. */
  readonly tokens: number;
  /** Of each update. */
  readonly losses: readonly number[];
}

/** One way to train a subject. Updates go on where the last stretch ended. */
export interface Side {
  run(steps: number): Promise<Stretch>;
  /** Most memory its process ever had, in MiB. */
  peak(): Promise<number>;
  close(): Promise<void>;
}

const planOf = ({ examples, options, seed }: TrainRequest): TrainingPlan =>
  planTraining(lengthsOf(examples.encoded), options, seed);

export interface OurSide extends Side {
  readonly spent: TimeSpent;
}

/** decant's own update, exactly as training runs it, in this process. */
export const ours = (setting: Setting, profilePrefix?: string): OurSide => {
  const request = requestFor(setting, profilePrefix);
  const updater = openUpdater(request, planOf(request));
  let step = 0;
  return {
    get spent() {
      return updater.spent;
    },
    run: async (steps) => {
      const losses: number[] = [];
      let tokens = 0;
      const start = performance.now();
      for (let i = 0; i < steps; i++) {
        const { outcome, size } = await updater.update(step++);
        losses.push(outcome.loss);
        tokens += size.tokens;
      }
      return { seconds: (performance.now() - start) / 1000, tokens, losses };
    },
    peak: async () => peakBytes() / 2 ** 20,
    close: () => updater.release(),
  };
};

const answers = async function* (child: ChildProcessWithoutNullStreams): AsyncGenerator<string> {
  for await (const line of createInterface({ input: child.stdout })) yield line;
};

/** Batches that PyTorch draws: the ones decant draws, or random texts padded to the longest of them. */
export type Batching = 'same' | 'random';

/** Updates after which PyTorch begins the same batches again. */
const STEPS_PLANNED = 400;

/** The initial weights, end to end in a file of `folder`, and what they are called. */
const writeWeights = async (folder: string, { graph }: Model) => {
  const weights = parameterNames(graph).flatMap((name) => {
    const tensor = graph.weights.get(name);
    return tensor === undefined ? [] : [{ name, tensor }];
  });
  const bytes = weights.map(({ tensor }) => bytesOf(float32Of(tensor)).read());
  await writeFile(join(folder, 'weights.f32'), Buffer.concat(bytes));
  return weights.map(({ name, tensor: { dims } }) => ({ name, dims }));
};

/** Where the rival's weights come from, and everything else, as JSON. */
const writeSetting = async (folder: string, setting: Setting, batching: Batching): Promise<string> => {
  const { texts, dropout, threads } = setting;
  const { pretrained, ...shape } = setting.subject;
  const request = requestFor(setting);
  const { info } = request.model;
  const plan = planOf(request);
  const config = {
    ...shape,
    ...(setting.rival ?? { device: 'cpu', compile: false }),
    ...(pretrained === undefined
      ? { weights: await writeWeights(folder, request.model) }
      : { pretrained: pretrained.folder }),
    ...{ dropout, threads, batching, classes: info.labels.length, padding: tokensIn(info.processor).padding },
    ...{ learningRate: LEARNING_RATE, weightDecay: WEIGHT_DECAY, labelSmoothing: LABEL_SMOOTHING },
    texts: texts.encoded.map((one) => [...tokensOf(one)]),
    labels: [...texts.targets.data],
    plan: Array.from({ length: STEPS_PLANNED }, (_, step) => plan.update(step).flatMap(({ rows }) => [...rows])),
  };
  const file = join(folder, 'setting.json');
  await writeFile(file, JSON.stringify(config));
  return file;
};

/** PyTorch in a process of its own: a command a line goes in, an answer in JSON comes out. */
export const torch = async (python: string, setting: Setting, batching: Batching): Promise<Side> => {
  const folder = await mkdtemp(join(tmpdir(), 'decant-bench-'));
  const child = spawn(python, [join(import.meta.dirname, 'rival.py'), await writeSetting(folder, setting, batching)]);
  child.stderr.pipe(process.stderr);
  const failed = new Promise<never>((_, reject) => {
    child.on('error', ({ message }) => reject(new Error(`--python ${python} does not run: ${message}`)));
  });
  const lines = answers(child);
  const ask = async (command: string): Promise<string> => {
    if (command !== '') child.stdin.write(`${command}\n`);
    const { value, done } = await Promise.race([lines.next(), failed]);
    if (done === true) throw new Error(`${python} ended early; does it have torch?`);
    return value;
  };
  await ask('');
  await rm(folder, { recursive: true });
  return {
    run: async (steps) => JSON.parse(await ask(`run ${steps}`)),
    peak: async () => Number(await ask('peak')),
    close: async () => {
      child.stdin.end();
      await new Promise((resolve) => child.on('close', resolve));
    },
  };
};
