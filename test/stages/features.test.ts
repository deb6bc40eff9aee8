import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../data/dataset.ts';
import { readPredictions } from '../../data/predictions.ts';
import { rowOf } from '../../data/rows.ts';
import { value } from '../../graph/graph.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { readModelArtifact } from '../../models/files.ts';
import { featureWidth, withProjection } from '../../models/sentence.ts';
import { answerName } from '../../models/signature.ts';
import { judgeStages } from '../../reports/judged.ts';
import { qualityReport } from '../../reports/quality.ts';
import type { StepSummary } from '../../reports/record.ts';
import { distill } from '../../stages/distill/index.ts';
import { evaluate } from '../../stages/evaluate/index.ts';
import { label } from '../../stages/label/index.ts';
import { trainStage } from '../../stages/train/index.ts';
import { smallEncoder } from '../models/support.ts';
import { workspace } from '../rig/workspace.ts';
import { datasetArtifact, modelArtifact, runStage, smallDataset } from './training-rig.ts';

/** Texts alone. */
const texts = (): Dataset => {
  const { train, unlabelled, validation, test, maxLength } = smallDataset(90, 60);
  const bare = (examples: Dataset['train']) => examples.map(({ id, text }) => ({ id, text }));
  return {
    ...{ task: 'features', classes: [], maxLength, unlabelled },
    ...{ train: bare(train), validation: bare(validation), test: bare(test) },
  };
};

const teacher = () => smallEncoder({ labels: [], dropout: 0 }, 5);
/** Half as wide as its teacher. */
const student = () => smallEncoder({ labels: [], hidden: 8, heads: 2, layers: 1, dropout: 0 }, 9);

const summary = (predictions: InputArtifact): StepSummary => ({
  ...{ cached: false, seconds: 0, metrics: {}, outputs: { predictions } },
});

describe('features', () => {
  it('are learned from a teacher by the cosine of sentence vectors, in the space of the teacher', async () => {
    using space = workspace();
    const dataset = await datasetArtifact(space, texts());
    const large = await modelArtifact(space, 'teacher', teacher());
    const small = await modelArtifact(space, 'small', student());
    const labels = { model: large, dataset };
    const { output: said } = await runStage(space, label, labels, {}, { name: 'label', kind: 'teacher-outputs' });
    const inputs = { model: small, dataset, 'teacher-outputs': said };
    const config = { teacher: 'teacher', epochs: 12, batch: 16, learningRate: 0.01 };
    const { output, metrics } = await runStage(space, distill, inputs, config, { name: 'student' });
    const again = await runStage(space, distill, inputs, config, { name: 'again' });
    expect(again.output.artifact.digest).toBe(output.artifact.digest);
    const model = await readModelArtifact(output.path);
    expect([model.info.task, featureWidth(model), featureWidth(teacher())]).toEqual(['features', 16, 16]);
    expect(model.graph.weights.has(value('projection.weight'))).toBe(true);
    expect(Object(metrics.training).best.score).toBeGreaterThan(0.85);

    const judge = async (name: string, of: InputArtifact): Promise<StepSummary> =>
      summary(
        (await runStage(space, evaluate, { model: of, dataset }, {}, { name: `${name}-said`, kind: 'predictions' }))
          .output,
      );
    const stages = [
      { id: 'teacher', evaluation: await judge('teacher', large) },
      { id: 'small', evaluation: await judge('small', small) },
      { id: 'student', evaluation: await judge('student', output) },
    ];
    const { scores, reference } = await judgeStages(stages, 'features', [], () => '');
    expect(reference).toBe('teacher');
    // Vectors of another width are no worse or better: they cannot be compared.
    expect(scores.get('small')).toBeNull();
    const of = (id: string) => {
      const judged = scores.get(id);
      return judged == null ? null : qualityReport(judged, []);
    };
    expect(of('teacher')?.score).toBeCloseTo(1, 6);
    const { metric, score = 0, scoreInterval, more = {} } = of('student') ?? {};
    expect(score).toBeGreaterThan(0.85);
    expect(scoreInterval?.low).toBeLessThan(score);
    expect(more.spearman?.value).toBeGreaterThan(0.5);
    expect([metric, Object.keys(more)]).toEqual(['cosine', ['spearman']]);
  });

  it('have vectors of the pooling and length that the makers of a model chose', async () => {
    using space = workspace();
    const dataset = await datasetArtifact(space, texts());
    const vectorsOf = async (name: string, sentence: { pooling: 'mean' | 'first'; normalize: boolean }) => {
      const model = teacher();
      const input = await modelArtifact(space, name, {
        ...model,
        info: { ...model.info, processor: { ...model.info.processor, sentence } },
      });
      const run = await runStage(
        space,
        evaluate,
        { model: input, dataset },
        {},
        { name: `${name}-said`, kind: 'predictions' },
      );
      return rowOf((await readPredictions(run.output.path)).rows, 0);
    };
    const mean = await vectorsOf('mean', { pooling: 'mean', normalize: false });
    const unit = await vectorsOf('unit', { pooling: 'mean', normalize: true });
    const first = await vectorsOf('first', { pooling: 'first', normalize: false });
    const length = Math.hypot(...mean);
    expect(Math.hypot(...unit)).toBeCloseTo(1, 5);
    expect(length * (unit[3] ?? 0)).toBeCloseTo(mean[3] ?? 0, 5);
    expect(first[3]).not.toBeCloseTo(mean[3] ?? 0, 3);
  });

  it('are projected only where the widths differ', () => {
    const model = teacher();
    expect(withProjection(model, 16, 1)).toBe(model);
    const { graph, info } = withProjection(model, 24, 1);
    expect(graph.weights.get(value('projection.weight'))?.dims).toEqual([16, 24]);
    expect([answerName(info.signature), ...graph.outputs]).toEqual(['last_hidden_state', 'last_hidden_state']);
  });

  it('have no labels to train on, and say so', async () => {
    using space = workspace();
    const inputs = {
      model: await modelArtifact(space, 'encoder', teacher()),
      dataset: await datasetArtifact(space, texts()),
    };
    await expect(runStage(space, trainStage, inputs, { epochs: 1 }, { name: 'failed' })).rejects.toMatchObject({
      kind: 'stage',
      message: 'data for features has no labels to train on: use distill, with the model to follow as teacher',
    });
  });
});
