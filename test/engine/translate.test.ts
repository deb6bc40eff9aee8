import { describe, expect, it } from 'vitest';
import { unknownTargets } from '../../data/answer-targets.ts';
import { trainByteBpe } from '../../data/tokenizers/bpe.ts';
import { cutTokenizer } from '../../data/tokenizers/cut.ts';
import { tokenTranslation } from '../../data/tokenizers/translate.ts';
import { trainWordPiece } from '../../data/tokenizers/wordpiece.ts';
import { encodedText, tokensOf } from '../../engine/encoded.ts';
import { train } from '../../engine/train.ts';
import { keepTokens } from '../../models/anatomy/tokens.ts';
import { readModelArtifact } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { distill } from '../../stages/distill/index.ts';
import { label } from '../../stages/label/index.ts';
import { prune } from '../../stages/prune/index.ts';
import { smallEncoder } from '../models/support.ts';
import { workspace } from '../rig/workspace.ts';
import { classes, datasetArtifact, modelArtifact, runStage, smallDataset } from '../stages/training-rig.ts';
import { hiddenStates, layerPairs } from './imitating.ts';
import { tinyExamples, tinyModel, tinyOptions, tinyRequest } from './rig.ts';

/** Two equal graphs of float32, one with fewer rows in its table. */
const EQUAL = 1e-9;

/** Without ids 5 and 30; the padding (1) and the unknown token (0) stay where they were. */
const kept = Array.from({ length: 40 }, (_, id) => id).filter((id) => id !== 5 && id !== 30);

const cutModel = (model: Model): Model => ({ ...model, graph: keepTokens(model, kept) });

/** Texts of kept tokens, as the cut model reads them. */
const examples = () => {
  const given = tinyExamples(16, 'train');
  const known = given.encoded.map((one) => Int32Array.from(tokensOf(one)).filter((id) => kept.includes(id)));
  return { ...given, encoded: known.map((ids) => encodedText({ ids: ids.map((id) => kept.indexOf(id)) })) };
};

const firstLoss = async (teacherIds: Int32Array | undefined): Promise<number> => {
  const teacher = tinyModel({ dropout: 0 });
  const student = cutModel(teacher);
  const pairs = layerPairs(2, 2, 'uniform');
  const { summary } = await train(
    tinyRequest({
      model: student,
      examples: examples(),
      validation: { encoded: [], targets: unknownTargets(0) },
      options: { ...tinyOptions, steps: 1, tokenDropout: 0 },
      phases: [
        { losses: [hiddenStates(student, { model: teacher, ids: teacherIds }, { pairs, weight: 1 })], until: 1 },
      ],
    }),
  );
  return summary.curve[0]?.loss ?? Number.NaN;
};

describe('hidden states of a teacher with a larger vocabulary', () => {
  it('are those of the same tokens', async () => {
    expect(await firstLoss(Int32Array.from(kept))).toBeLessThan(EQUAL);
    expect(await firstLoss(undefined)).toBeGreaterThan(1e-3);
  });

  it('are imitated by a student whose vocabulary was cut from it', async () => {
    using space = workspace();
    const dataset = await datasetArtifact(space, smallDataset());
    const teacher = await modelArtifact(space, 'teacher', smallEncoder({ labels: classes }));
    const model = teacher;
    const cut = await runStage(space, prune, { model, dataset }, { keep: { vocabulary: 8 } }, { name: 'cut' });
    expect((await readModelArtifact(cut.output.path)).info.dimensions.vocabulary).toBeLessThan(10);
    const said = await runStage(space, label, { model, dataset }, {}, { name: 'label', kind: 'teacher-outputs' });
    const inputs = { model: cut.output, dataset, teacher, 'teacher-outputs': said.output };
    const config = { teacher: 'teacher', epochs: 1, hidden: {} };
    const { metrics } = await runStage(space, distill, inputs, config, { name: 'distilled' });
    expect(Object(metrics.training).epochs).toBe(1);
  });

  it('cannot be compared where texts are cut by other rules', async () => {
    using space = workspace();
    const dataset = await datasetArtifact(space, smallDataset());
    const teacher = await modelArtifact(space, 'teacher', smallEncoder({ labels: classes }));
    const other = {
      ...smallEncoder({ labels: classes, vocabulary: 300 }),
      tokenizer: trainByteBpe(['a cat'], { size: 300 }),
    };
    const said = await runStage(
      space,
      label,
      { model: teacher, dataset },
      {},
      { name: 'label', kind: 'teacher-outputs' },
    );
    const model = await modelArtifact(space, 'other', other);
    const inputs = { model, dataset, teacher, 'teacher-outputs': said.output };
    const config = { teacher: 'teacher', epochs: 1, hidden: {} };
    await expect(runStage(space, distill, inputs, config, { name: 'distilled' })).rejects.toMatchObject({
      kind: 'stage',
      message:
        'student and teacher cut texts into different tokens: what they compute inside cannot be compared; leave such ' +
        'losses out, or cut the student from the teacher',
    });
  });
});

describe('a translation of tokens', () => {
  const texts = ['the old cat sleeps', 'a small dog runs', 'the cat and the dog'];
  const whole = trainWordPiece(texts, { size: 60 });

  it('names each token of a cut tokenizer by its old id', async () => {
    const { tokenizer, ids } = cutTokenizer(whole, [0, 1, 2, 3]);
    expect(await tokenTranslation(tokenizer, whole)).toEqual(ids);
    expect(ids.length).toBeLessThan((await tokenTranslation(whole, whole))?.length ?? 0);
  });

  it('does not exist towards a tokenizer that lacks tokens, or of another kind', async () => {
    const { tokenizer } = cutTokenizer(whole, [0, 1, 2, 3]);
    expect(await tokenTranslation(whole, tokenizer)).toBeUndefined();
    expect(await tokenTranslation(trainByteBpe(texts, { size: 300 }), whole)).toBeUndefined();
  });
});
