import { idTargets } from '../../data/answer-targets.ts';
import type { Feeds } from '../../engine/engine.ts';
import { imitations } from '../../engine/losses/imitations/index.ts';
import type { Loss } from '../../engine/losses/index.ts';
import { buildEvaluation } from '../../engine/step.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import { weightFeeds } from '../../engine/weight-feeds.ts';
import { applyCuts } from '../../graph/cut/index.ts';
import type { Graph } from '../../graph/graph.ts';
import { quantizeWeights } from '../../graph/quantize/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { dataTask } from '../../ground/tasks.ts';
import { anatomyOf, partsOf } from '../../models/anatomy.ts';
import type { Model } from '../../models/model.ts';
import { hiddenStates, imitation, inside, layerPairs, usualImitation } from '../engine/imitating.ts';
import { CLASSES, tinyModel } from '../engine/rig.ts';
import { aloneOf, expectedOf, feedsOf, importGolden } from '../models/golden-checkpoints.ts';
import {
  caseOf,
  fedTo,
  settings,
  shakenModel,
  stepOf,
  TEXTS,
  teacherOf,
  texts,
  trained,
  type WholeGraph,
} from './cases.ts';
import { updates } from './update-graphs.ts';

export type { WholeGraph };

const targetSteps = trained
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

const teacherSteps = trained.map(
  (name): WholeGraph => ({
    ...{ name: `a step of ${name} towards a teacher's answers`, kind: 'step' },
    make: async () => {
      const one = caseOf(name);
      const half = { ...settings, hard: 0.5 };
      const losses = [...one.task.targetLosses(half), ...usualImitation(one.task, half)];
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
    return stepOf(one, [...one.task.targetLosses(half), ...usualImitation(one.task, half), hidden], 0.1);
  },
};

/** Every loss that imitates: those on answers of a kind, and those that look inside beside choices. */
const everyImitation = (['text-classification', 'features'] as const).map(
  (name): WholeGraph => ({
    ...{ name: `a step of ${name} by every loss that imitates`, kind: 'step' },
    make: async () => {
      const one = caseOf(name);
      const { answer } = dataTask(name);
      const beside = { model: shakenModel(tinyModel({ hidden: 24, layers: 3, heads: 3, maxLength: 40 }, 2)) };
      const losses = imitations.flatMap(({ uses, reads }): readonly Loss[] => {
        const kinds: readonly string[] | string = reads;
        if (typeof kinds === 'string') return answer === 'choice' ? [inside(one.model, beside, { uses })] : [];
        return kinds.includes(answer) ? [imitation({ uses }, { answer })] : [];
      });
      return stepOf({ ...one, teacher: teacherOf(one) }, losses, 0);
    },
  }),
);

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
    ({ graph }) => quantizeWeights(fuseForInference(graph), { minimumElements: 1, minimumTable: 1 }).graph,
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
  ...[...targetSteps, ...teacherSteps, besideStep, ...everyImitation, ...goldenSteps, ...updates],
  ...[...inferences, ...goldenInferences],
];
