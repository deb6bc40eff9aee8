import { describe, expect, it } from 'vitest';
import type { InputArtifact } from '../../ground/artifact.ts';
import { readModelArtifact } from '../../models/files.ts';
import { distill } from '../../stages/distill/index.ts';
import { label } from '../../stages/label/index.ts';
import { answersFor, readTeacherOutputs } from '../../stages/label/outputs.ts';
import { trainStage } from '../../stages/train/index.ts';
import { smallEncoder } from '../models/support.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';
import {
  classes,
  datasetArtifact,
  modelArtifact,
  runStage,
  smallDataset,
  smallFeatures,
  wiringOf,
} from './training-rig.ts';

const quick = { teacher: 'teacher', epochs: 4, batch: 16, learningRate: 0.01 };

const teacherIn = async (space: Workspace): Promise<Record<'dataset' | 'teacher' | 'outputs', InputArtifact>> => {
  const dataset = await datasetArtifact(space, smallDataset(60, 200));
  const model = await modelArtifact(space, 'encoder', smallFeatures());
  const config = { epochs: 6, batch: 16, learningRate: 0.01 };
  const { output: teacher } = await runStage(space, trainStage, { model, dataset }, config, { name: 'teacher' });
  const inputs = { model: teacher, dataset };
  const { output: outputs } = await runStage(space, label, inputs, {}, { name: 'label', kind: 'teacher-outputs' });
  return { dataset, teacher, outputs };
};

describe('labelling', () => {
  it('says something about every training text once, by example id', async () => {
    using space = workspace();
    const { outputs } = await teacherIn(space);
    const said = await readTeacherOutputs(outputs.path);
    expect(said.classes).toEqual(classes);
    expect(said.ids.length).toBe(260);
    const [last, first] = [said.ids.at(-1) ?? 0, said.ids[0] ?? 0];
    expect([...answersFor(said, [last, first]).data]).toEqual([
      ...said.rows.data.slice(-3),
      ...said.rows.data.slice(0, 3),
    ]);
    expect(() => answersFor(said, [99_999])).toThrow('the teacher said nothing about example 99999');
  });

  it('wants a teacher that classifies', async () => {
    using space = workspace();
    const inputs = {
      model: await modelArtifact(space, 'encoder', smallFeatures()),
      dataset: await datasetArtifact(space, smallDataset()),
    };
    const run = runStage(space, label, inputs, {}, { name: 'label', kind: 'teacher-outputs' });
    await expect(run).rejects.toMatchObject({
      kind: 'stage',
      message: 'the teacher gives features, not class scores: train it first',
    });
  });
});

describe('the distill stage', () => {
  it('teaches a student from random weights on texts without labels, alike every time', async () => {
    using space = workspace();
    const { dataset, outputs } = await teacherIn(space);
    const student = await modelArtifact(space, 'student', smallEncoder({ labels: classes, hidden: 8, heads: 2 }, 9));
    const inputs = { model: student, dataset, 'teacher-outputs': outputs };
    const first = await runStage(space, distill, inputs, quick, { name: 'first' });
    const again = await runStage(space, distill, inputs, quick, { name: 'again' });
    expect(again.output.artifact.digest).toBe(first.output.artifact.digest);
    expect(first.metrics).toMatchObject({ training: { steps: 4 * Math.ceil(260 / 16) } });
    expect(Object(first.metrics.training).best.score).toBeGreaterThan(0.9);
  });

  it('compares hidden states first where asked, and drops the projections', async () => {
    using space = workspace();
    const { dataset, outputs, teacher } = await teacherIn(space);
    const plain = smallEncoder({ labels: classes, hidden: 8, heads: 2, layers: 1 }, 9);
    const student = await modelArtifact(space, 'student', plain);
    const inputs = { model: student, dataset, teacher, 'teacher-outputs': outputs };
    const config = { ...quick, hidden: { layers: { 0: 1 } } };
    const { output } = await runStage(space, distill, inputs, config, { name: 'distilled' });
    const { graph } = await readModelArtifact(output.path);
    expect([...graph.weights.keys()]).toEqual([...plain.graph.weights.keys()]);
    const wrong = { ...quick, hidden: { layers: { 3: 0 } } };
    await expect(runStage(space, distill, inputs, wrong, { name: 'wrong' })).rejects.toMatchObject({
      message: "the loss 'hidden': the student's layers are 0 to 0; found 3",
    });
  });

  it('looks into each of several teachers as a loss names it', async () => {
    using space = workspace();
    const { dataset, outputs, teacher } = await teacherIn(space);
    const other = await modelArtifact(space, 'other', smallEncoder({ labels: classes, hidden: 24, layers: 3 }, 5));
    const student = await modelArtifact(space, 'student', smallEncoder({ labels: classes, hidden: 8, heads: 2 }, 9));
    const losses = [
      { uses: 'kl' },
      { uses: 'hidden', teacher: 'b', layers: { 1: 2 } },
      { uses: 'hidden', teacher: 'a' },
      { uses: 'embeddings', teacher: 'b' },
    ];
    const config = { ...quick, epochs: 1, teacher: { from: ['a', 'b'] }, losses };
    const inputs = { model: student, dataset, 'teacher-outputs': outputs, teacher: other, 'teacher-2': teacher };
    const { output, metrics } = await runStage(space, distill, inputs, config, { name: 'both' });
    expect((await readModelArtifact(output.path)).graph.nodes.some(({ name }) => name.startsWith('teacher'))).toBe(
      false,
    );
    expect(Object(metrics.training).steps).toBe(Math.ceil(260 / 16));
    // The third layer is one of the other teacher alone.
    const swapped = { ...inputs, teacher, 'teacher-2': other };
    await expect(runStage(space, distill, swapped, config, { name: 'swapped' })).rejects.toThrow(
      "the loss 'hidden': the teacher's layers are 0 to 1; found 2",
    );
  });

  it('asks for the labels of its teacher, and for the teacher itself only where hidden states are compared', () => {
    const logits = wiringOf();
    expect(Object.keys(distill.wire({ teacher: 'big' }, logits))).toEqual(['dataset', 'teacher-outputs']);
    expect(logits.asked).toEqual(['model big at teacher', 'step label of big,data']);
    expect(Object.keys(distill.wire({ teacher: 'big', hidden: {} }, wiringOf()))).toContain('teacher');
  });
});
