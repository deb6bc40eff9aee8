import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { rowOf } from '../../data/rows.ts';
import { probabilityOf } from '../../data/sets.ts';
import { predict } from '../../engine/predict.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import type { ToldSet } from '../../engine/tasks/told.ts';
import { readModel, writeModel } from '../../models/files.ts';
import { importFolder } from '../../models/importers/folder/index.ts';
import { alignLabels } from '../../models/labels.ts';
import type { Model } from '../../models/model.ts';
import { exportModels } from '../../stages/export/folder.ts';
import { fitLabels } from '../../stages/import/fit.ts';
import { toldSet } from '../rig/told.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';
import { expectedOf, goldenFolder } from './golden-checkpoints.ts';

/** Float16 weights, float32 sums in another order than PyTorch's. */
const CLOSE = 1e-3;

/** A golden checkpoint whose config.json says that a text has several of its classes: the same logits, read one by one. */
const checkpointIn = (space: Workspace): string => {
  const folder = space.path('checkpoint');
  cpSync(goldenFolder('distilbert'), folder, { recursive: true });
  const config = JSON.parse(readFileSync(`${folder}/config.json`, 'utf8'));
  writeFileSync(`${folder}/config.json`, JSON.stringify({ ...config, problem_type: 'multi_label_classification' }));
  return folder;
};

const { text, values, dims } = expectedOf('distilbert');
const WIDTH = dims[1] ?? 0;

const told = async (model: Model) => {
  const task = taskOf(model.info.task);
  const examples = await task.encode(model, text, model.info.maxLength);
  const { rows } = await predict({ model, examples, threads: 1, batching: 'single' });
  return text.map((_, i) => toldSet(task.tell(rowOf(rows, i), model.info.labels, model.info.processor)));
};

describe('a checkpoint of several classes a text', () => {
  it('is imported as one, and says of each class what PyTorch says', async () => {
    using space = workspace();
    const model = await importFolder(checkpointIn(space), { head: 'keep' });
    expect(model.info.task).toBe('multi-label');
    const answers = await told(model);
    answers.forEach(({ classes, labels }, i) => {
      expect(classes.length).toBe(WIDTH);
      const probabilities = new Map(classes.map(({ label, probability }) => [label, probability]));
      const said = model.info.labels.filter((_, c) => (values[i * WIDTH + c] ?? 0) > 0);
      model.info.labels.forEach((label, c) => {
        const theirs = probabilityOf(values[i * WIDTH + c] ?? Number.NaN);
        expect(Math.abs((probabilities.get(label) ?? Number.NaN) - theirs)).toBeLessThan(CLOSE);
      });
      expect(new Set(labels)).toEqual(new Set(said));
    });
  });

  it('puts classes and thresholds in the order of the data, and leaves out what the data lacks', async () => {
    using space = workspace();
    const imported = await importFolder(checkpointIn(space), { head: 'keep' });
    const { info } = imported;
    expect(info.labels).toEqual(['animal', 'money', 'travel']);
    const model = { ...imported, info: { ...info, processor: { ...info.processor, thresholds: [0.2, 0.5, 0.8] } } };
    const turned = alignLabels(model, ['travel', 'animal']);
    expect([turned.info.labels, turned.info.processor.thresholds]).toEqual([
      ['travel', 'animal'],
      [0.8, 0.2],
    ]);
    const [before, after] = [await told(model), await told(turned)];
    const of = (set: ToldSet | undefined, label: string) => set?.classes.find((one) => one.label === label);
    for (const label of turned.info.labels) expect(of(after[0], label)).toEqual(of(before[0], label));
    const facts = { task: 'multi-label', classes: ['money', 'travel', 'animal'], maxLength: 16 } as const;
    expect(fitLabels(imported, facts).info.labels).toEqual(facts.classes);
    expect(() => fitLabels(imported, { ...facts, task: 'text-classification' })).toThrow(
      "the checkpoint is made for multi-label, the data for text-classification: 'head: new' takes its encoder alone",
    );
  });

  it('comes out again as what it was, thresholds beside it', async () => {
    using space = workspace();
    const imported = await importFolder(checkpointIn(space), { head: 'keep' });
    const { info } = imported;
    const model = { ...imported, info: { ...info, processor: { ...info.processor, thresholds: [0.25, 0.5, 0.75] } } };
    await exportModels(space.path('out'), new Map([['fp32', model]]), { threads: 1, results: '' });
    const config = JSON.parse(readFileSync(space.path('out/config.json'), 'utf8'));
    expect(config).toMatchObject({
      problem_type: 'multi_label_classification',
      architectures: ['DistilBertForSequenceClassification'],
      thresholds: { animal: 0.25, money: 0.5, travel: 0.75 },
    });
    expect(readFileSync(space.path('out/README.md'), 'utf8')).toContain('| travel | 0.75 |');
    expect(await told(await readModel(space.path('out')))).toEqual(await told(model));
  });

  it('is refused where it has thresholds for other classes', async () => {
    using space = workspace();
    const imported = await importFolder(checkpointIn(space), { head: 'keep' });
    const { info } = imported;
    const processor = { ...info.processor, thresholds: [0.5] };
    await writeModel(space.path('model'), { ...imported, info: { ...info, processor } });
    await expect(readModel(space.path('model'))).rejects.toThrow(
      /model\.json has 1 thresholds for 3 labels; expected one a label, in their order/,
    );
  });
});
