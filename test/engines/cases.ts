import { idTargets, numberTargets, type Targets } from '../../data/answer-targets.ts';
import { type Stream, stream } from '../../data/random.ts';
import type { Rows } from '../../data/rows.ts';
import { BatchFeeder } from '../../engine/batch-feeder.ts';
import { type Encoded, encodedText } from '../../engine/encoded.ts';
import type { Feeds, HostTensor } from '../../engine/engine.ts';
import { symbolsIn } from '../../engine/feeds.ts';
import type { Loss, LossSettings } from '../../engine/losses/index.ts';
import { MaskBuffers } from '../../engine/masks.ts';
import { buildStep, type TrainingStep } from '../../engine/step.ts';
import { sizeOfUpdate } from '../../engine/step-batch.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import type { Task } from '../../engine/tasks/task.ts';
import { weightFeeds } from '../../engine/weight-feeds.ts';
import type { Graph } from '../../graph/graph.ts';
import { elementCount } from '../../graph/tensor.ts';
import { modelTask } from '../../ground/tasks.ts';
import { withHead } from '../../models/head.ts';
import { withMaskedHead } from '../../models/masked-head.ts';
import type { Model } from '../../models/model.ts';
import { CLASSES, tinyModel } from '../engine/rig.ts';
import { shaken } from '../graph/cut-rig.ts';

/** A graph as decant runs it, and a batch for it. */
export interface WholeGraph {
  readonly name: string;
  readonly kind: 'step' | 'float' | 'int8';
  make(): Promise<{ readonly graph: Graph; readonly feeds: Feeds }>;
}

/** Some are long enough that kernels take other ways than for a few tokens. */
const LENGTHS = [3, 5, 8, 20, 36];
export const TEXTS = LENGTHS.length;
const LONGEST = Math.max(...LENGTHS);
const tiny = (): Model => tinyModel({ labels: [], maxLength: 40 });
const labels = Array.from({ length: CLASSES }, (_, c) => `class ${c}`);

export const normals = (random: Stream, length: number): Float32Array =>
  Float32Array.from({ length }, () => random.normal());

/** Texts of several lengths; answers about places stand at some of their words. */
export const texts = (perWord: boolean): readonly Encoded[] => {
  const random = stream(4, 'whole-graphs');
  return LENGTHS.map((length) => {
    const ids = Int32Array.from({ length }, () => 3 + random.integer(36));
    return perWord ? { ...encodedText({ ids }), places: Int32Array.from([0, 2]) } : encodedText({ ids });
  });
};

export const shakenModel = (model: Model): Model => ({ ...model, graph: shaken(model.graph) });

/** What a task answers about, and what is true. */
export interface Case {
  readonly task: Task;
  readonly given: Model;
  /** The same model, with its answers as output. */
  readonly model: Model;
  readonly answers: number;
  readonly targets: Targets;
  /** Numbers of one answer. */
  readonly width: number;
}

/** Every task that models are trained for. */
export const trained = [
  'text-classification',
  'token-classification',
  'named-entities',
  'multi-label',
  'score',
  'fill-mask',
  'features',
] as const;

export const caseOf = (name: Task['name']): Case => {
  const task = taskOf(name);
  const plain = tiny();
  const random = stream(5, name);
  const perWord = name === 'token-classification' || name === 'named-entities' || name === 'fill-mask';
  const answers = perWord ? 2 * TEXTS : TEXTS;
  const ids = (below: number): Targets => idTargets(Array.from({ length: answers }, () => random.integer(below)));
  const of = (model: Model, targets: Targets, width: number): Case => {
    const given = shakenModel(model);
    return { task, given, model: task.answering(given), answers, targets, width };
  };
  switch (name) {
    case 'text-classification':
      return of(withHead(plain, { task: name, at: 'texts', labels }), ids(CLASSES), CLASSES);
    case 'token-classification':
    case 'named-entities':
      return of(withHead(plain, { task: name, at: 'tokens', labels }), ids(CLASSES), CLASSES);
    case 'multi-label': {
      const data = Int32Array.from({ length: answers * CLASSES }, () => random.integer(2));
      return of(task.fit(plain, labels), { width: CLASSES, data }, CLASSES);
    }
    case 'score':
      return of(task.fit(plain, []), numberTargets(normals(random, answers)), 1);
    case 'fill-mask':
      return of(withMaskedHead(plain, name), ids(36), 40);
    default:
      return of(plain, idTargets(new Int32Array(answers).fill(-1)), plain.info.dimensions.hidden ?? 0);
  }
};

export const teacherOf = ({ answers, width }: Case): Rows => ({
  ...{ width, columns: width, unread: new Uint8Array(answers) },
  data: normals(stream(6, 'teacher'), answers * width),
});

const auxiliaryFeeds = (step: ReturnType<typeof buildStep>): Feeds =>
  Object.fromEntries(
    step.parameters
      .filter(({ auxiliary }) => auxiliary)
      .map(({ name, dims }): [string, HostTensor] => [
        name,
        { dtype: 'float32', dims, data: normals(stream(7, name), elementCount(dims)) },
      ]),
  );

export const fedTo = (graph: Graph, feeds: Feeds): Feeds =>
  Object.fromEntries(Object.entries(feeds).filter(([name]) => graph.inputs.some((input) => input === name)));

/** A training step with its weights, a batch and masks of dropout. */
export const stepOf = (
  one: Pick<Case, 'task' | 'model' | 'targets'> & { readonly teacher?: Rows },
  losses: readonly Loss[],
  dropout: number,
): { readonly graph: Graph; readonly feeds: Feeds; readonly step: TrainingStep } => {
  const { task, model, targets, teacher } = one;
  const step = buildStep(model, { losses, dropout });
  const examples = { encoded: texts(modelTask(task.name).about !== 'text'), targets, teacher };
  const feeder = new BatchFeeder(model.info, { examples, seed: 1, options: { tokenDropout: 0 } });
  const batch = { rows: Int32Array.from(examples.encoded.keys()), length: LONGEST };
  const size = sizeOfUpdate([batch], feeder.answers);
  const fed = feeder.feeds(step.inputs, { batch, size, step: 0 });
  const masks = new MaskBuffers().draw(step.masks, symbolsIn(model.graph, fed), stream(1, 'dropout'));
  const weights = weightFeeds(step.graph, model, []);
  const feeds = fedTo(step.graph, { ...weights, ...auxiliaryFeeds(step), ...fed, ...masks });
  return { graph: step.graph, feeds, step };
};

export const settings: LossSettings = { hard: 1, temperature: 2, labelSmoothing: 0.1 };
