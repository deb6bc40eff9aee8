import { describe, expect, it } from 'vitest';
import { unknownTargets } from '../../data/answer-targets.ts';
import { stream } from '../../data/random.ts';
import type { Rows } from '../../data/rows.ts';
import { BatchFeeder } from '../../engine/batch-feeder.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { GradientRunner } from '../../engine/gradients.ts';
import { imitationOf, imitations } from '../../engine/losses/imitations/index.ts';
import type { Loss } from '../../engine/losses/index.ts';
import { numberAt, type Scheduled } from '../../engine/losses/scheduled.ts';
import { buildStep } from '../../engine/step.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import { train } from '../../engine/train.ts';
import type { TrainRequest } from '../../engine/train-request.ts';
import { trainedArrays, trainingMemory } from '../../engine/training-state.ts';
import { plainMemory } from '../../engine/updaters/source.ts';
import { weightFeeds } from '../../engine/weight-feeds.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import type { Answer } from '../../ground/tasks.ts';
import type { Model } from '../../models/model.ts';
import { imitation, inside } from './imitating.ts';
import { bytesOfModel, memoryCheckpoints, tinyExamples, tinyModel, tinyOptions, tinyRequest } from './rig.ts';

/** Float32 sums in another order, of numbers up to a few hundred. */
const REORDERED = 1e-5;

const TEXTS = 24;

/** Other widths, heads and layers than the student has. */
const beside = { model: tinyModel({ hidden: 24, layers: 3, heads: 3 }, 5) };

const weight: Scheduled = { from: 1, to: 0.2, schedule: 'linear', until: 0.6 };
const temperature: Scheduled = { from: 4, to: 1, schedule: 'cosine', until: 1 };

/** Every loss that can read answers of a kind, and beside choices every one that looks inside; on schedules, as far as they have any. */
const everyLoss = (student: Model, answer: Answer, only: (uses: string) => boolean = () => true): readonly Loss[] => {
  const fitting = imitations.filter(({ uses, reads }) => {
    const kinds: readonly string[] | string = reads;
    return only(uses) && (typeof kinds === 'string' ? answer === 'choice' : kinds.includes(answer));
  });
  return fitting.map(({ uses, reads }) =>
    typeof reads === 'string'
      ? inside(student, beside, { uses, weight })
      : imitation({ uses, weight, temperature: uses === 'contrastive' ? 0.1 : temperature }, { answer }),
  );
};

const said = (width: number): Rows => {
  const random = stream(1, 'teacher');
  const data = Float32Array.from({ length: TEXTS * width }, () => random.normal());
  return { width, columns: width, unread: new Uint8Array(TEXTS), data };
};

const interrupted = async (request: TrainRequest, after: number): Promise<string> => {
  const checkpoints = memoryCheckpoints();
  const controller = new AbortController();
  let left = after;
  const hook = { afterUpdate: () => void (--left === 0 && controller.abort(new Error('interrupted'))) };
  await expect(train({ ...request, checkpoints, hook, signal: controller.signal })).rejects.toThrow('interrupted');
  return bytesOfModel((await train({ ...request, checkpoints })).model);
};

const options = { ...tinyOptions, epochs: 4, batch: 8, keep: 'last' } as const;

const requestOf = (answer: 'choice' | 'vector'): TrainRequest => {
  const student = answer === 'choice' ? tinyModel() : tinyModel({ labels: [] });
  const task = taskOf(answer === 'choice' ? 'text-classification' : 'features');
  const examples = { ...tinyExamples(TEXTS, 'train'), targets: unknownTargets(TEXTS) };
  return tinyRequest({
    ...{ model: student, task, options, validation: { encoded: [], targets: unknownTargets(0) } },
    examples: { ...examples, teacher: said(answer === 'choice' ? 3 : 16) },
    phases: [{ losses: everyLoss(student, answer), until: 1 }],
  });
};

describe('losses of a list', () => {
  it.each(['choice', 'vector'] as const)(
    'train together, on schedules, and end with the same bytes after an interruption: of a %s',
    async (answer) => {
      const whole = await train(requestOf(answer));
      expect(whole.summary.steps).toBe(12);
      expect(whole.summary.curve.every(({ loss }) => Number.isFinite(loss))).toBe(true);
      const names = requestOf(answer).phases[0]?.losses.map(({ name }) => name);
      for (const { loss, terms = {} } of whole.summary.curve) {
        expect(Object.keys(terms)).toEqual(names);
        const sum = Object.values(terms).reduce((all, term) => all + term, 0);
        expect(Math.abs(sum - loss) / loss).toBeLessThan(REORDERED);
      }
      expect(await interrupted(requestOf(answer), 5)).toBe(bytesOfModel(whole.model));
    },
  );

  it('come to the same in pieces of a batch, but those that say that they compare texts', async () => {
    const model = tinyModel();
    const losses = everyLoss(model, 'choice', (uses) => !imitationOf(uses).comparesTexts);
    expect(imitations.filter(({ comparesTexts }) => comparesTexts).map(({ uses }) => uses)).toEqual([
      'dist',
      'contrastive',
    ]);
    const step = buildStep(model, { losses, dropout: 0 });
    const program = await cpuEngine.compile(step.graph, { threads: 1, training: true });
    const runner = new GradientRunner(step, program, trainingMemory(step.parameters));
    const examples = { ...tinyExamples(TEXTS, 'train'), targets: unknownTargets(TEXTS), teacher: said(3) };
    const feeder = new BatchFeeder(model.info, { examples, seed: 1, options: { tokenDropout: 0 } });
    const arrays = trainedArrays({ graph: model.graph, before: [], seed: 1 }, step.parameters, plainMemory);
    const tokens = examples.encoded.reduce((sum, { length }) => sum + length, 0);
    const inPieces = async (size: number) => {
      runner.reset();
      let loss = 0;
      for (let at = 0; at < TEXTS; at += size) {
        const batch = { rows: Int32Array.from({ length: size }, (_, i) => at + i), length: 12 };
        const turn = { batch, size: { answers: TEXTS, tokens }, step: 0, done: 0.3 };
        const feeds = { ...weightFeeds(step.graph, model, arrays), ...feeder.feeds(step.inputs, turn) };
        loss += (await runner.run(feeds)).loss;
      }
      return { loss, gradients: runner.gradients.map((gradient) => gradient.slice()) };
    };
    const [whole, pieces] = [await inPieces(TEXTS), await inPieces(6)];
    await program.release();
    expect(Math.abs(whole.loss - pieces.loss) / whole.loss).toBeLessThan(REORDERED);
    whole.gradients.forEach((gradient, i) => {
      const far = Math.max(...gradient.map((x, at) => Math.abs(x - (pieces.gradients[i]?.[at] ?? Number.NaN))));
      expect({ parameter: step.parameters[i]?.name, same: far < REORDERED }).toMatchObject({ same: true });
    });
  });
});

describe('a loss that looks inside', () => {
  const fused = { model: { ...beside.model, graph: fuseForInference(beside.model.graph) } };

  it.each([
    [
      { uses: 'attention' },
      fused,
      /^the loss 'attention' looks at the attention of layer 1 of the teacher: its attention is fused into one operator, which puts out no maps$/,
    ],
    [
      { uses: 'relations', layers: { 0: 3 } },
      beside,
      /^the loss 'relations': the teacher's layers are 0 to 2; found 3$/,
    ],
    [
      { uses: 'relations', heads: 5 },
      beside,
      /^5 relation heads do not divide the widths of both models' attention, 16 of the student and 24 of the teacher$/,
    ],
  ])('says what it cannot read: %j', (given, teacher, message) => {
    expect(() => buildStep(tinyModel(), { losses: [inside(tinyModel(), teacher, given)] })).toThrow(message);
  });
});

describe('a schedule', () => {
  it('goes from one number to the other along its line or half a cosine, and stays there', () => {
    const at = (schedule: 'linear' | 'cosine') =>
      [0, 0.25, 0.5, 0.75, 1].map((done) =>
        Number(numberAt({ from: 4, to: 2, schedule, until: 0.5 }, done).toFixed(6)),
      );
    expect(at('linear')).toEqual([4, 3, 2, 2, 2]);
    expect(at('cosine')).toEqual([4, 3, 2, 2, 2]);
    expect(numberAt({ from: 1, to: 0, schedule: 'cosine', until: 1 }, 0.25)).toBeCloseTo((1 + Math.SQRT1_2) / 2, 12);
    expect(numberAt(7, 0.3)).toBe(7);
  });

  it('is fed, so that weights and temperatures change without another graph', async () => {
    const loss = imitation({ uses: 'kl', weight, temperature });
    const { inputs } = buildStep(tinyModel(), { losses: [loss], dropout: 0 });
    const examples = { ...tinyExamples(2, 'train'), targets: unknownTargets(2), teacher: said(3) };
    const feeder = new BatchFeeder(tinyModel().info, { examples, seed: 1, options: { tokenDropout: 0 } });
    const fedAt = (done: number) => {
      const turn = { batch: { rows: Int32Array.of(0, 1), length: 12 }, size: { answers: 2, tokens: 9 }, step: 0, done };
      const feeds = feeder.feeds(inputs, turn);
      return ['kl/weights', 'kl/cold', 'kl/heat'].map((name) => Number(Number(feeds[name]?.data[0]).toFixed(6)));
    };
    expect(fedAt(0)).toEqual([0.5, 0.25, 16]);
    expect(fedAt(0.5)).toEqual([Number(((1 - 0.8 * (0.5 / 0.6)) / 2).toFixed(6)), 0.4, 6.25]);
    expect(fedAt(1)).toEqual([0.1, 1, 1]);
  });
});
