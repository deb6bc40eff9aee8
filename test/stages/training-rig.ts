import type { Dataset, Example } from '../../data/dataset.ts';
import { writeDataset } from '../../data/files.ts';
import { stream } from '../../data/random.ts';
import type { ArtifactKind, InputArtifact } from '../../ground/artifact.ts';
import type { Metrics } from '../../ground/json.ts';
import { writeModel } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import type { AnyStage, Ref, StageContext, Wiring } from '../../stages/stage.ts';
import { smallEncoder } from '../models/support.ts';
import type { Workspace } from '../rig/workspace.ts';
import { artifactOf, contextIn } from './stage-rig.ts';

export const classes = ['animal', 'motion', 'rest'];
const own = [['cat', 'dog'], ['runs'], ['sleeps']];
const common = ['a', 'the', 'old', 'small'];

const textsOf = (count: number, first: number, purpose: string): Example[] => {
  const random = stream(11, purpose);
  const pick = (words: readonly string[]): string => words[random.integer(words.length)] ?? '';
  return Array.from({ length: count }, (_, i) => {
    const label = random.integer(classes.length);
    const filler = Array.from({ length: random.integer(5) }, () => pick(common));
    return {
      id: first + i,
      text: [pick(common), ...filler, pick(own[label] ?? []), pick(common)].join(' '),
      target: label,
    };
  });
};

/** Texts of a class each, written into them by one word. */
export const smallDataset = (labelled = 90, unlabelled = 60): Dataset => ({
  task: 'text-classification',
  classes,
  maxLength: 10,
  train: textsOf(labelled, 0, 'train'),
  unlabelled: textsOf(unlabelled, 1000, 'unlabelled').map(({ id, text }) => ({ id, text })),
  validation: textsOf(40, 2000, 'validation'),
  test: textsOf(40, 3000, 'test'),
});

/** A features model: what an import gives. */
export const smallFeatures = (): Model => smallEncoder({ labels: [] });

export const modelArtifact = async (space: Workspace, name: string, model: Model): Promise<InputArtifact> => {
  await writeModel(await contextIn(space.folder).output(name, 'model'), model);
  return artifactOf(space.path(name), 'model');
};

export const datasetArtifact = async (space: Workspace, dataset: Dataset): Promise<InputArtifact> => {
  await writeDataset(await contextIn(space.folder).output('data', 'dataset'), dataset);
  return artifactOf(space.path('data'), 'dataset');
};

/** Runs a stage as the pipeline does and returns its output as the next stage's input. */
export const runStage = async (
  space: Workspace,
  stage: AnyStage,
  inputs: Readonly<Record<string, InputArtifact>>,
  config: unknown,
  options: { readonly name: string; readonly kind?: ArtifactKind; readonly context?: Partial<StageContext> },
): Promise<{ readonly output: InputArtifact; readonly metrics: Metrics }> => {
  const { name, kind = 'model', context } = options;
  const base = contextIn(space.path(name), { seed: 1 });
  const metrics = await stage.run(inputs, config, { ...base, ...context });
  return { output: await artifactOf(space.path(name, kind), kind), metrics };
};

/** What a stage asks of the plan, written down. */
export const wiringOf = (): Wiring & { readonly asked: string[] } => {
  const asked: string[] = [];
  const ref = (step: string): Ref => ({ step, output: 'model' });
  return {
    asked,
    model: (id, path) => {
      asked.push(`model ${id} at ${path.join('.')}`);
      return ref(id);
    },
    previous: () => {
      asked.push('previous');
      return ref('previous');
    },
    dataset: () => ref('data'),
    step: (uses, _, inputs) => {
      asked.push(`step ${uses} of ${Object.values(inputs).map(({ step }) => step)}`);
      return ref(uses);
    },
    problem: (path, message) => {
      asked.push(`problem at ${path.join('.')}: ${message}`);
    },
  };
};
