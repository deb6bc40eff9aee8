import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Dataset } from '../../data/dataset.ts';
import { rowOf } from '../../data/rows.ts';
import { tokenizerOf } from '../../data/tokenize.ts';
import { trainWordPiece } from '../../data/tokenizers/wordpiece.ts';
import { tokensOf } from '../../engine/encoded.ts';
import { predict } from '../../engine/predict.ts';
import { wholeTexts } from '../../engine/read.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { withMaskedHead } from '../../models/masked-head.ts';
import type { Model } from '../../models/model.ts';
import { maskTokenOf } from '../../models/special-tokens.ts';
import { distill } from '../../stages/distill/index.ts';
import { distillationConfig } from '../../stages/distill/options.ts';
import { saidBy, selected } from '../../stages/distill/select/candidates.ts';
import { label } from '../../stages/label/index.ts';
import { readTeacherOutputs } from '../../stages/label/outputs.ts';
import { reword } from '../../stages/reword/index.ts';
import { readRewordings, rewordingsFor } from '../../stages/reword/table.ts';
import { trainStage } from '../../stages/train/index.ts';
import { smallEncoder } from '../models/support.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';
import { contextIn } from './stage-rig.ts';
import { classes, datasetArtifact, modelArtifact, runStage, smallDataset, smallFeatures } from './training-rig.ts';

const dataset: Dataset = smallDataset(40, 60);

const texts = [...dataset.train, ...dataset.unlabelled];

const tokenizer = trainWordPiece(
  texts.map(({ text }) => text),
  { size: 120 },
);

const guesser = (): Model => {
  const { size } = tokenizerOf(tokenizer);
  return withMaskedHead({ ...smallEncoder({ labels: [], vocabulary: size, dropout: 0 }), tokenizer }, 'fill-mask');
};

const reworded = async (space: Workspace, model: Model, name = 'reworded') => {
  const inputs = {
    model: await modelArtifact(space, `${name}-guesser`, model),
    dataset: await datasetArtifact(space, dataset),
  };
  return await runStage(space, reword, inputs, { top: 3 }, { name, kind: 'rewordings' });
};

describe('other words', () => {
  it('are the likeliest ones that a masked language model says in place of each word, the same again', async () => {
    using space = workspace();
    const model = guesser();
    const { output, metrics } = await reworded(space, model);
    expect((await reworded(space, model, 'again')).output.artifact.digest).toBe(output.artifact.digest);
    const table = await readRewordings(output.path);
    const { token } = tokenizerOf(table.tokenizer);
    expect(metrics).toMatchObject({ texts: texts.length, words: table.places.length });
    expect([...table.ids]).toEqual(texts.map(({ id }) => id));
    const encoded = await wholeTexts(model, texts, 10);
    for (const [text, one] of encoded.entries()) {
      const words = Array.from(tokensOf(one), (id, place) => ({ word: token(id) ?? '', place })).filter(({ word }) =>
        /^[a-z]{2,}$/.test(word),
      );
      expect([...table.places.slice(table.starts[text], table.starts[text + 1])]).toEqual(
        words.map(({ place }) => place),
      );
    }
    for (const [word, was] of table.was.entries()) {
      const [from, to] = [table.others[word] ?? 0, table.others[word + 1] ?? 0];
      const others = [...table.tokens.slice(from, to)];
      expect(others).toHaveLength(3);
      expect(others.every((id) => id !== was && /^\p{L}{2,}$/u.test(token(id) ?? ''))).toBe(true);
      expect(table.chances.slice(from, to).reduce((sum, chance) => sum + chance, 0)).toBeCloseTo(1, 5);
    }
    // A text of one word is hidden at that word alone: what is kept is what the model says there.
    const [one] = encoded.filter((_, text) => (table.starts[text + 1] ?? 0) - (table.starts[text] ?? 0) === 1);
    if (one === undefined) throw new Error('no text of one word');
    const text = encoded.indexOf(one);
    const place = table.places[table.starts[text] ?? 0] ?? 0;
    const hidden = Int32Array.from(tokensOf(one), (id, at) => (at === place ? (maskTokenOf(model)?.id ?? -1) : id));
    const example = { ...one, byRole: { ...one.byRole, tokens: hidden }, places: Int32Array.of(place) };
    const { rows } = await predict({ model, examples: [example], threads: 1, batching: 'length' });
    const said = Array.from(rowOf(rows, 0), (logit, id) => ({ logit, id }));
    const wanted = said.filter(({ id }) => /^[a-z]{2,}$/.test(token(id) ?? '') && id !== tokensOf(one)[place]);
    expect([
      ...table.tokens.slice(table.others[table.starts[text] ?? 0], 3 + (table.others[table.starts[text] ?? 0] ?? 0)),
    ]).toEqual(
      wanted
        .sort((a, b) => b.logit - a.logit)
        .slice(0, 3)
        .map(({ id }) => id),
    );
  });

  it('are told in the tokens of a smaller vocabulary, without those that are not in it', async () => {
    using space = workspace();
    const table = await readRewordings((await reworded(space, guesser())).output.path);
    const [first = 0] = table.was;
    const fewer = rewordingsFor(table, [...table.ids].slice(0, 20), (id) => (id === first ? undefined : id + 1000));
    expect(fewer.starts).toHaveLength(21);
    expect([...fewer.was, ...fewer.tokens].every((id) => id >= 1000 && id !== first + 1000)).toBe(true);
    for (const [word] of fewer.was.entries()) {
      const chances = fewer.chances.slice(fewer.others[word], fewer.others[word + 1]);
      expect(chances.reduce((sum, chance) => sum + chance, 0)).toBeCloseTo(1, 5);
    }
  });

  it('are trained on, and refused of another tokenizer or another kind of model', async () => {
    using space = workspace();
    const data = await datasetArtifact(space, dataset);
    const { output: rewordings } = await reworded(space, guesser());
    const augment = [{ uses: 'words', model: 'guesser', share: 0.3, top: 3 }];
    const config = { steps: 4, batch: 8, augment, validationLimit: 0 };
    const { size } = tokenizerOf(tokenizer);
    const reads = await modelArtifact(space, 'reads', { ...smallEncoder({ labels: [], vocabulary: size }), tokenizer });
    const digestOf = async (name: string, more: object) =>
      (await runStage(space, trainStage, { model: reads, dataset: data, rewordings }, { ...config, ...more }, { name }))
        .output.artifact.digest;
    const [first, again, plain] = [
      await digestOf('first', {}),
      await digestOf('again', {}),
      await digestOf('plain', { augment: undefined }),
    ];
    expect(again).toBe(first);
    expect(plain).not.toBe(first);
    const other = await modelArtifact(space, 'other', smallFeatures());
    await expect(
      runStage(space, trainStage, { model: other, dataset: data, rewordings }, config, { name: 'failed' }),
    ).rejects.toThrow('the model and the masked language model cut texts into different tokens');
    const inputs = { model: other, dataset: data };
    await expect(runStage(space, reword, inputs, { top: 3 }, { name: 'none', kind: 'rewordings' })).rejects.toThrow(
      'the model is made for features, and other words are guessed by a masked language model: name a stage with one',
    );
  });
});

describe('choosing among texts without labels', () => {
  const labelled = async (
    space: Workspace,
    model: InputArtifact,
    data: InputArtifact,
    name: string,
  ): Promise<InputArtifact> =>
    (await runStage(space, label, { model, dataset: data }, {}, { name, kind: 'teacher-outputs' })).output;

  it('takes the asked share of those on which student and teacher, or teachers, disagree most', async () => {
    using space = workspace();
    const data = await datasetArtifact(space, dataset);
    const [a, b, student] = [
      smallEncoder({ labels: classes }, 3),
      smallEncoder({ labels: classes }, 4),
      smallEncoder({ labels: classes }, 5),
    ];
    const teacher = await modelArtifact(space, 'teacher', a);
    const said = await labelled(space, teacher, data, 'said-a');
    const other = await labelled(space, await modelArtifact(space, 'b', b), data, 'said-b');
    const inputs = { model: await modelArtifact(space, 'student', student), dataset: data, 'teacher-outputs': said };
    const job = { teacher: 't', steps: 1, batch: 8, validationLimit: 0 };
    const [teacherOutputs, others] = [
      await readTeacherOutputs(said.path),
      await saidBy({ 'said-0': said, 'said-1': other }),
    ];
    const chosenBy = async (by: string, seed = 1): Promise<readonly number[]> => {
      const config = z.strictObject(distillationConfig).parse({ select: { share: '25%', by } });
      const asked = { model: student, dataset, teacher: teacherOutputs, teachers: new Map(), said: others, config };
      const { job: found } = await selected(asked, contextIn(space.folder, { seed }));
      return found.dataset.unlabelled.map(({ id }) => id);
    };
    const answers = async (model: Model) => {
      const examples = await wholeTexts(model, dataset.unlabelled, 10);
      return (await predict({ model, task: taskOf('text-classification'), examples, threads: 1, batching: 'length' }))
        .rows;
    };
    const [ofA, ofB, ofStudent] = [await answers(a), await answers(b), await answers(student)];
    const divergence = (p: Float32Array, q: Float32Array): number => {
      const [total, rest] = [p, q].map((logits) => logits.reduce((sum, x) => sum + Math.exp(x), 0));
      return p.reduce(
        (sum, t, c) =>
          sum + (Math.exp(t) / (total ?? 1)) * (t - Math.log(total ?? 1) - ((q[c] ?? 0) - Math.log(rest ?? 1))),
        0,
      );
    };
    const largest = (score: (text: number) => number): readonly number[] =>
      dataset.unlabelled
        .map(({ id }, text) => ({ id, score: score(text) }))
        .sort((x, y) => y.score - x.score)
        .slice(0, 15)
        .map(({ id }) => id)
        .sort((x, y) => x - y);
    const disagreeing = await chosenBy('disagreement');
    expect(disagreeing).toEqual(largest((text) => divergence(rowOf(ofA, text), rowOf(ofStudent, text))));
    // What both say together is what the first of them says here: the other's distance decides.
    expect(await chosenBy('committee')).toEqual(largest((text) => divergence(rowOf(ofB, text), rowOf(ofA, text))));
    const [random, again, another] = [await chosenBy('random'), await chosenBy('random'), await chosenBy('random', 2)];
    expect(random).toHaveLength(15);
    expect(again).toEqual(random);
    expect(another).not.toEqual(random);
    expect(random).not.toEqual(disagreeing);
    const { metrics } = await runStage(space, distill, inputs, { ...job, select: { share: 0.25 } }, { name: 'run' });
    expect(metrics.training).toMatchObject({ selected: { texts: 15, of: 60, by: 'disagreement' } });
  });

  it('is refused of a student that answers nothing yet, and of data without such texts', async () => {
    using space = workspace();
    const data = await datasetArtifact(space, dataset);
    const said = await labelled(
      space,
      await modelArtifact(space, 'teacher', smallEncoder({ labels: classes }, 3)),
      data,
      'said',
    );
    const job = { teacher: 't', steps: 1, select: { share: '50%' } };
    const features = {
      model: await modelArtifact(space, 'features', smallFeatures()),
      dataset: data,
      'teacher-outputs': said,
    };
    await expect(runStage(space, distill, features, job, { name: 'failed' })).rejects.toThrow(
      'the student does not answer yet what the data asks',
    );
    const without = await datasetArtifact(space, { ...dataset, unlabelled: [] });
    await expect(runStage(space, distill, { ...features, dataset: without }, job, { name: 'none' })).rejects.toThrow(
      'select chooses among texts without labels, and the data has none: leave it out',
    );
  });
});
