import { idTargets, numberTargets, type Targets } from '../../data/answer-targets.ts';
import { type Stream, stream } from '../../data/random.ts';
import type { Rows } from '../../data/rows.ts';
import { BatchFeeder } from '../../engine/batch-feeder.ts';
import { type Encoded, encodedText } from '../../engine/encoded.ts';
import type { Feeds, HostTensor } from '../../engine/engine.ts';
import { symbolsIn } from '../../engine/feeds.ts';
import { hiddenStates, type Loss, type LossSettings, layerPairs } from '../../engine/losses/index.ts';
import { MaskBuffers } from '../../engine/masks.ts';
import { buildEvaluation, buildStep } from '../../engine/step.ts';
import { sizeOfUpdate } from '../../engine/step-batch.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import type { Task } from '../../engine/tasks/task.ts';
import { weightFeeds } from '../../engine/weight-feeds.ts';
import { applyCuts } from '../../graph/cut/index.ts';
import type { Graph } from '../../graph/graph.ts';
import { quantizeDynamic } from '../../graph/quantize/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { elementCount } from '../../graph/tensor.ts';
import { anatomyOf, partsOf } from '../../models/anatomy.ts';
import { withHead } from '../../models/head.ts';
import { withMaskedHead } from '../../models/masked-head.ts';
import type { Model } from '../../models/model.ts';
import { CLASSES, tinyModel } from '../engine/rig.ts';
import { shaken } from '../graph/cut-rig.ts';
import { aloneOf, expectedOf, feedsOf, importGolden } from '../models/golden-checkpoints.ts';

/** A graph as decant runs it, and a batch for it. */
export interface WholeGraph {
  readonly name: string;
  readonly kind: 'step' | 'float' | 'int8';
  make(): Promise<{ readonly graph: Graph; readonly feeds: Feeds }>;
}

/** Some are long enough that kernels take other ways than for a few tokens. */
const LENGTHS = [3, 5, 8, 20, 36];
const TEXTS = LENGTHS.length;
const LONGEST = Math.max(...LENGTHS);
const tiny = (): Model => tinyModel({ labels: [], maxLength: 40 });
const labels = Array.from({ length: CLASSES }, (_, c) => `class ${c}`);

const normals = (random: Stream, length: number): Float32Array => Float32Array.from({ length }, () => random.normal());

/** Texts of several lengths; answers about places stand at some of their words. */
export const texts = (perWord: boolean): readonly Encoded[] => {
  const random = stream(4, 'whole-graphs');
  return LENGTHS.map((length) => {
    const ids = Int32Array.from({ length }, () => 3 + random.integer(36));
    return perWord ? { ...encodedText({ ids }), places: Int32Array.from([0, 2]) } : encodedText({ ids });
  });
};

const shakenModel = (model: Model): Model => ({ ...model, graph: shaken(model.graph) });

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

export const caseOf = (name: Task['name']): Case => {
  const task = taskOf(name);
  const plain = tiny();
  const random = stream(5, name);
  const perWord = name === 'token-classification' || name === 'fill-mask';
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

const fedTo = (graph: Graph, feeds: Feeds): Feeds =>
  Object.fromEntries(Object.entries(feeds).filter(([name]) => graph.inputs.some((input) => input === name)));

/** A training step with its weights, a batch and masks of dropout. */
const stepOf = (
  one: Pick<Case, 'task' | 'model' | 'targets'> & { readonly teacher?: Rows },
  losses: readonly Loss[],
  dropout: number,
): { readonly graph: Graph; readonly feeds: Feeds } => {
  const { task, model, targets, teacher } = one;
  const step = buildStep(model, { losses, dropout });
  const examples = { encoded: texts(task.unit !== 'texts'), targets, teacher };
  const feeder = new BatchFeeder(model.info, { examples, seed: 1, options: { tokenDropout: 0 } });
  const batch = { rows: Int32Array.from(examples.encoded.keys()), length: LONGEST };
  const size = sizeOfUpdate([batch], feeder.answers);
  const fed = feeder.feeds(step.inputs, { batch, size, turn: [0, 0] });
  const masks = new MaskBuffers().draw(step.masks, symbolsIn(model.graph, fed), stream(1, 'dropout'));
  const weights = weightFeeds(step.graph, model, []);
  return { graph: step.graph, feeds: fedTo(step.graph, { ...weights, ...auxiliaryFeeds(step), ...fed, ...masks }) };
};

const settings: LossSettings = { hard: 1, temperature: 2, labelSmoothing: 0.1 };
const tasks = ['text-classification', 'token-classification', 'multi-label', 'score', 'fill-mask', 'features'] as const;

const targetSteps = tasks
  .filter((name) => name !== 'features')
  .map(
    (name): WholeGraph => ({
      ...{ name: `a step of ${name} towards its targets`, kind: 'step' },
      make: async () => {
        const one = caseOf(name);
        const weighted = { ...settings, classWeights: Float64Array.of(0.5, 1, 1.5) };
        const losses = one.task.targetLosses(one.width === CLASSES ? weighted : settings);
        return stepOf(one, losses, 0.2);
      },
    }),
  );

const teacherSteps = tasks.map(
  (name): WholeGraph => ({
    ...{ name: `a step of ${name} towards a teacher's answers`, kind: 'step' },
    make: async () => {
      const one = caseOf(name);
      const half = { ...settings, hard: 0.5 };
      const losses = [...one.task.targetLosses(half), ...one.task.imitation(half)];
      return stepOf({ ...one, teacher: teacherOf(one) }, losses, 0);
    },
  }),
);

const besideStep: WholeGraph = {
  name: 'a step beside a teacher of another width, with its hidden states',
  kind: 'step',
  make: async () => {
    const one = caseOf('text-classification');
    const beside = {
      model: shakenModel(tinyModel({ hidden: 24, layers: 3, maxLength: 40, norm: 'post', activation: 'relu' }, 2)),
    };
    const half = { ...settings, hard: 0.5, beside };
    const hidden = hiddenStates(one.model, beside, { pairs: layerPairs(2, 3, 'uniform'), weight: 0.5 });
    return stepOf(one, [...one.task.targetLosses(half), ...one.task.imitation(half), hidden], 0.1);
  },
};

/** Steps of checkpoints: other positions, norms, gates and attentions than decant's own encoder has. */
const goldenSteps = ['bert', 'deberta-v2', 'modernbert', 'mobilebert', 'roberta'].map(
  (name): WholeGraph => ({
    ...{ name: `a step of the checkpoint ${name}`, kind: 'step' },
    make: async () => {
      const task = taskOf('text-classification');
      const model = await importGolden(name);
      const targets = idTargets(Array.from({ length: TEXTS }, (_, i) => i % model.info.labels.length));
      return stepOf({ task, model, targets }, task.targetLosses(settings), 0.1);
    },
  }),
);

const student = (): Model => shakenModel(tinyModel({ maxLength: 40 }));

const batchOf = ({ info }: Model): Feeds => {
  const ids = Array.from(texts(false), ({ byRole }) => Array.from(byRole.tokens ?? []));
  const longest = Math.max(...ids.map(({ length }) => length));
  const padded = (row: readonly number[], by: number): number[] =>
    Array.from({ length: longest }, (_, i) => row[i] ?? by);
  return feedsOf(info, {
    ids: ids.map((row) => padded(row, 1)),
    mask: ids.map((row) =>
      padded(
        row.map(() => 1),
        0,
      ),
    ),
  });
};

const inference = (name: string, kind: 'float' | 'int8', graphOf: (model: Model) => Graph): WholeGraph => ({
  ...{ name, kind },
  make: async () => {
    const model = student();
    const graph = graphOf(model);
    const weights = weightFeeds(graph, model, []);
    return { graph, feeds: fedTo(graph, { ...weights, ...batchOf(model) }) };
  },
});

/** Half of the heads and neurons of every layer. */
const halved = (graph: Graph): Graph => {
  const parts = partsOf(anatomyOf(graph)).filter(({ kind, group }) => group !== undefined && /heads|ffn/.test(kind));
  const kept = parts.map(({ count }) => Array.from({ length: count }, (_, i) => i).filter((i) => i % 2 === 1));
  return applyCuts(
    graph,
    parts.flatMap(({ group }) => group ?? []),
    kept,
  );
};

const inferences: readonly WholeGraph[] = [
  inference('a student', 'float', ({ graph }) => graph),
  inference('a student, fused', 'float', ({ graph }) => fuseForInference(graph)),
  inference('a student as training sees it between epochs', 'float', buildEvaluation),
  inference('a student of half its heads and neurons, fused', 'float', ({ graph }) => fuseForInference(halved(graph))),
  inference(
    'a student in 8 bits',
    'int8',
    ({ graph }) => quantizeDynamic(fuseForInference(graph), { minimumElements: 1, minimumTable: 1 }).graph,
  ),
];

const goldenInferences = ['albert-tokens', 'bert-features', 'deberta-v2', 'mobilebert', 'modernbert', 'mpnet-mlm'].map(
  (name): WholeGraph => ({
    ...{ name: `the checkpoint ${name}, fused`, kind: 'float' },
    make: async () => {
      const model = await importGolden(name);
      const graph = fuseForInference(model.graph);
      return { graph, feeds: fedTo(graph, feedsOf(model.info, aloneOf(expectedOf(name), 0))) };
    },
  }),
);

/** Steps of every task and loss, inference of float and INT8 students, cut ones, and golden checkpoints. */
export const wholeGraphs: readonly WholeGraph[] = [
  ...[...targetSteps, ...teacherSteps, besideStep, ...goldenSteps],
  ...[...inferences, ...goldenInferences],
];
