import { parseArgs } from 'node:util';
import { idTargets } from '../../data/answer-targets.ts';
import { lengthsOf } from '../../data/lengths.ts';
import { stream } from '../../data/random.ts';
import { defaultAdamW } from '../../engine/adamw.ts';
import { encodedText } from '../../engine/encoded.ts';
import { textClassification } from '../../engine/tasks/classification.ts';
import type { TrainRequest, WeightArrays } from '../../engine/train-request.ts';
import { planTraining } from '../../engine/training-plan.ts';
import { openUpdater } from '../../engine/updaters/index.ts';
import { parameterNames } from '../../graph/sites.ts';
import { noCheckpoints } from '../../ground/checkpoints.ts';
import { roleOf } from '../../models/anatomy/roles.ts';
import { buildEncoder } from '../../models/encoder.ts';
import { pruningDuring } from '../../stages/prune/during.ts';
import { patternOf } from '../../stages/prune/patterns/index.ts';
import { planeOf } from '../../stages/prune/plane-of.ts';
import { saliencies } from '../../stages/prune/saliencies/index.ts';
import { cubic } from '../../stages/prune/schedules/cubic.ts';

const EVERY = 10;
const STEPS = 10 * EVERY;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** A model of MiniLM's sizes from random weights, and texts of about 20 tokens. */
const requestOf = (threads: number): TrainRequest => {
  const labels = ['a', 'b', 'c'];
  const shape = { vocabulary: 30522, hidden: 384, layers: 6, heads: 12, ffn: 1536, maxLength: 128, dropout: 0.1 };
  const how = { norm: 'post', activation: 'gelu', pooling: 'mean', tokens: { padding: 0, unknown: 1 } } as const;
  const random = stream(1, 'texts');
  const count = 32 * 8;
  const encoded = Array.from({ length: count }, () =>
    encodedText({ ids: Int32Array.from({ length: 16 + random.integer(9) }, () => 2 + random.integer(30000)) }),
  );
  const targets = idTargets(Int32Array.from({ length: count }, () => random.integer(3)));
  return {
    model: buildEncoder({ ...shape, ...how, labels }, {}, 1),
    examples: { encoded, targets },
    validation: { encoded: [], targets: idTargets(new Int32Array()) },
    options: {
      ...{ ...defaultAdamW, epochs: 100, steps: STEPS, batch: 32, accumulate: 1, weightDecay: 0.01, tokenDropout: 0 },
      ...{ learningRate: 1e-4, headLearningRate: 1e-4, schedule: { kind: 'linear', warmup: 0.1 }, clip: 1 },
      ...{ keep: 'last', validationLimit: 0 },
    },
    task: textClassification,
    phases: [{ losses: textClassification.targetLosses({ hard: 1, temperature: 1, labelSmoothing: 0 }), until: 1 }],
    ...{
      seed: 1,
      threads,
      signal: new AbortController().signal,
      checkpoints: noCheckpoints,
      progress: () => undefined,
    },
  };
};

/** Milliseconds of all threads together: others on the machine do not count. */
const worked = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/**
 * What saliencies that see gradients add to a training step, turn by turn with the step itself: what they work on one thread beside
 * what the step works on each of its own.
 */
export const benchPrune = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: { rounds: { type: 'string', default: '7' }, threads: { type: 'string', default: '2' } },
  });
  const request = requestOf(Number(values.threads));
  const { graph } = request.model;
  const names = parameterNames(graph).filter((name) => roleOf(request.model, name) === 'matrix');
  const weights = names.map((name) => ({ name, plane: planeOf(graph, name) }));
  const elements = weights.reduce((sum, { plane }) => sum + plane.rows * plane.width, 0);
  const shown: { seen?: readonly [WeightArrays, WeightArrays] } = {};
  const none = { wants: () => false, afterUpdate: () => undefined };
  const hook = { ...none, gradients: { sees: names, wants: () => true, see: () => undefined } };
  const plan = planTraining(lengthsOf(request.examples.encoded), request.options, 1);
  const updater = openUpdater({ ...request, hook }, plan);
  await updater.enter(0);
  const hooks = saliencies.flatMap((saliency) =>
    saliency.reads !== 'gradients'
      ? []
      : [
          [
            saliency,
            pruningDuring({
              ...{ weights, saliency, pattern: patternOf('free'), sparsity: 0.7, compete: saliency.competes },
              ...{ schedule: cubic, rounds: 1, every: EVERY, seed: 1 },
            }),
          ] as const,
        ],
  );
  const seconds: number[] = [];
  const added = new Map<string, number[]>();
  for (let round = 0; round < Number(values.rounds) + 2; round++) {
    const started = worked();
    await updater.update(round, undefined, (...seen) => {
      shown.seen = seen;
    });
    if (round >= 2) seconds.push((worked() - started) / request.threads);
    for (const [saliency, own] of hooks) {
      if (shown.seen === undefined) continue;
      const [at, gradients] = shown.seen;
      const copies = new Map(Array.from(at, ([name, data]) => [name, data.slice()]));
      const looked = worked();
      own.gradients?.see(1, at, gradients);
      const masked = worked();
      await own.afterUpdate(STEPS / 2, STEPS, copies);
      const { looks, masks } = saliency.pace ?? { looks: 1, masks: EVERY };
      const took = (masked - looked) / looks + (worked() - masked) / masks;
      if (round >= 2) added.set(saliency.name, [...(added.get(saliency.name) ?? []), took / (seconds.at(-1) ?? 1)]);
    }
  }
  await updater.release();
  console.log(`${elements} weights of matrices; a step of 32 texts takes ${median(seconds).toFixed(0)} ms`);
  for (const [name, shares] of added) console.log(`${name}: + ${(100 * median(shares)).toFixed(1)} % of a step`);
};
