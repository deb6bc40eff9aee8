import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tokenizerOf } from '../../data/tokenize.ts';
import { applyCuts } from '../../graph/cut/index.ts';
import { hiddenStatesOf } from '../../models/anatomy/hidden-states.ts';
import { anatomyOf } from '../../models/anatomy.ts';
import { labelProblem, labelRemark } from '../../models/class-names.ts';
import { withClassificationHead } from '../../models/head.ts';
import { importModel } from '../../models/importers/index.ts';
import { alignLabels } from '../../models/labels.ts';
import { tokenizerIn, tokensIn } from '../../models/model.ts';
import { readSafetensors } from '../../models/safetensors/file.ts';
import { workspace } from '../rig/workspace.ts';
import { expectedOf, goldenFolder, importGolden, runGolden } from './golden-checkpoints.ts';
import { readTensors, writeTensors } from './safetensors-file.ts';
import { largestDifference } from './support.ts';

/** Float32 sums in another order. */
const ROUNDING = 1e-5;

describe('what model.json says of a folder of Hugging Face', () => {
  it('has the names of classes, inputs and the configuration as it was read', async () => {
    const { info } = await importGolden('bert');
    expect(info).toMatchObject({
      task: 'text-classification',
      labels: ['animal', 'money', 'travel'],
      signature: {
        inputs: [
          { name: 'input_ids', role: 'tokens', axes: ['batch', 'sequence'] },
          { name: 'attention_mask', role: 'mask', axes: ['batch', 'sequence'] },
          { name: 'token_type_ids', role: 'segments', axes: ['batch', 'sequence'] },
        ],
        outputs: [{ name: 'logits', role: 'scores', axes: ['batch', 'width'] }],
        states: [],
      },
      modelType: 'bert',
      checkpoint: JSON.parse(readFileSync(join(goldenFolder('bert'), 'config.json'), 'utf8')),
      origin: 'bert (Hugging Face, bert)',
    });
    expect(info.hiddenStates).toBeUndefined();
    expect(hiddenStatesOf(await importGolden('mobilebert-features'))).toEqual(['last_hidden_state']);
  });

  it('tells how sentence-transformers make one vector of a text', async () => {
    expect((await importGolden('sentence-transformers')).info).toMatchObject({
      task: 'features',
      processor: { sentence: { pooling: 'mean', normalize: true } },
    });
    expect((await importGolden('bert')).info.processor.sentence).toBeUndefined();
  });

  it('lowers texts in the tokenizer where sentence-transformers do it before', async () => {
    using space = workspace();
    const folder = space.path('lower');
    cpSync(goldenFolder('roberta-features'), folder, { recursive: true });
    const idsOf = async (text: string) =>
      (await tokenizerOf(tokenizerIn(await importModel(folder, '/'))).encode(text, 64)).ids;
    const lower = await idsOf('old café dogs');
    expect(await idsOf('Old CAFÉ dogs')).not.toEqual(lower);
    writeFileSync(join(folder, 'sentence_bert_config.json'), '{"max_seq_length": 32, "do_lower_case": true}');
    expect(await idsOf('Old CAFÉ dogs')).toEqual(lower);
  });

  it('counts positions from behind the padding id, and asks for no types where there is one', async () => {
    const { info } = await importGolden('roberta');
    const positions = Number(info.checkpoint?.max_position_embeddings);
    expect(info.maxLength).toBe(Math.min(positions - tokensIn(info.processor).padding - 1, info.maxLength));
    expect(info.signature.inputs.map(({ name }) => name)).toEqual(['input_ids', 'attention_mask']);
  });

  it('keeps the names of the checkpoint for every parameter', async () => {
    const { graph } = await importGolden('bert');
    const stored = readSafetensors(join(goldenFolder('bert'), 'model.safetensors'));
    const parameters = [...graph.weights.keys()].filter((name) => !/constant_\d+$/.test(name));
    expect(parameters.filter((name) => !stored.has(name))).toEqual([]);
    expect(parameters).toContain('bert.encoder.layer.1.attention.self.query.weight');
  });
});

describe('the head of a checkpoint', () => {
  it.each(['bert', 'bert-tokens', 'bert-mlm', 'distilbert', 'roberta-mlm', 'electra-tokens', 'albert'])(
    'is left out of %s with head: new',
    async (name) => {
      const { graph, info } = await importModel(goldenFolder(name), '/', { head: 'new' });
      expect(info).toMatchObject({
        task: 'features',
        labels: [],
        signature: { outputs: [{ name: 'last_hidden_state' }] },
      });
      expect(
        [...graph.weights.keys()].filter((weight) => /classifier|predictions|lm_head|vocab_/.test(weight)),
      ).toEqual([]);
    },
  );

  it('that predicts words gives way to a classifier', async () => {
    const model = withClassificationHead(await importGolden('bert-mlm'), ['a', 'b']);
    expect(model.info).toMatchObject({
      task: 'text-classification',
      labels: ['a', 'b'],
      signature: { outputs: [{ name: 'logits' }] },
    });
    expect([...model.graph.weights.keys()].filter((name) => name.startsWith('cls.'))).toEqual([]);
    const [logits] = await runGolden(model, [expectedOf('bert-mlm')]);
    expect(logits).toEqual([0, 0, 0, 0]);
  });

  it('puts its classes in the order of the data', async () => {
    const model = await importGolden('bert');
    const expected = expectedOf('bert');
    const aligned = alignLabels(model, ['travel', 'animal', 'money']);
    const [[before = []], [after = []]] = [await runGolden(model, [expected]), await runGolden(aligned, [expected])];
    const moved = before.map((_, i) => before[i - (i % 3) + ((i + 2) % 3)] ?? 0);
    expect(largestDifference(after, moved)).toBe(0);
    expect(alignLabels(model, model.info.labels)).toBe(model);
  });

  it('that knows more classes than the data has answers with those of the data alone', async () => {
    const model = await importGolden('bert');
    const expected = expectedOf('bert');
    const aligned = alignLabels(model, ['travel', 'animal']);
    expect(aligned.info.labels).toEqual(['travel', 'animal']);
    const [[before = []], [after = []]] = [await runGolden(model, [expected]), await runGolden(aligned, [expected])];
    const [animal, travel] = [0, 2].map((column) => before.filter((_, i) => i % 3 === column));
    expect(after.filter((_, i) => i % 2 === 0)).toEqual(travel);
    expect(after.filter((_, i) => i % 2 === 1)).toEqual(animal);
    expect(labelProblem(model.info.labels, ['travel', 'animal'])).toBeUndefined();
    expect(labelRemark(model.info.labels, ['travel', 'animal'])).toBe(
      "the checkpoint also classifies into money, which the data does not have: it chooses among the data's 2 classes alone",
    );
    expect(labelRemark(model.info.labels, model.info.labels)).toBeUndefined();
  });

  it('whose names differ from the data in case alone says so', () => {
    expect(labelProblem(['Positive', 'Negative', 'Neutral'], ['negative', 'positive'])).toMatch(
      /names differ in case alone \('Negative' there is 'negative' here, 'Positive' there is 'positive' here\); write the data's/,
    );
  });

  it('of other classes than the data is refused, both named', () => {
    expect(labelProblem(['a', 'b'], ['b', 'a'])).toBeUndefined();
    // Two classes of one name: one of the data's would have no scores.
    expect(labelProblem(['a', 'a', 'b'], ['a', 'b', 'c'])).toMatch(
      /^the checkpoint classifies into 3 labels \(a, a, b\)/,
    );
    expect(labelProblem(['LABEL_0', 'LABEL_1'], ['good', 'bad'])).toBe(
      'the checkpoint classifies into 2 labels (LABEL_0, LABEL_1), the data has 2 (good, bad): ' +
        "write the data's names into id2label of config.json if they mean the same, or put a new head on it with 'head: new'",
    );
  });
});

it.each([
  ['deberta-v2', 'deberta', 'word'],
  ['mobilebert', 'mobilebert', 'position'],
])('a single type of tokens is added to all of them: %s', async (name, prefix, kind) => {
  const folder = mkdtempSync(join(tmpdir(), 'decant-types-'));
  try {
    cpSync(goldenFolder(name), folder, { recursive: true });
    const path = join(folder, 'model.safetensors');
    const tensors = readTensors(path);
    const table = `${prefix}.embeddings.${kind}_embeddings.weight`;
    const width = tensors.get(table)?.dims[1] ?? 0;
    const row = Float32Array.from({ length: width }, (_, i) => Math.sin(i));
    const load = async (types: number, change: (data: Float32Array) => Float32Array) => {
      const own = tensors.get(table) ?? { dims: [], data: row };
      const types_ = `${prefix}.embeddings.token_type_embeddings.weight`;
      const changed = new Map([...tensors, [table, { ...own, data: change(own.data) }]]);
      changed.delete(types_);
      writeTensors(path, types === 0 ? changed : changed.set(types_, { dims: [1, width], data: row }));
      const config = JSON.parse(readFileSync(join(goldenFolder(name), 'config.json'), 'utf8'));
      writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, type_vocab_size: types }));
      return runGolden(await importModel(folder, '/'), [expectedOf(name)]);
    };
    const [[typed = []], [shifted = []]] = [
      await load(1, (data) => data),
      await load(0, (data) => data.map((x, i) => x + (row[i % width] ?? 0))),
    ];
    expect(largestDifference(typed, shifted)).toBeLessThan(ROUNDING);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('the width of an imported encoder can be cut, head and all', async () => {
  const { graph, ...rest } = await importGolden('roberta');
  const [hidden] = anatomyOf(graph).hidden;
  if (hidden?.group === undefined) throw new Error('no width was found');
  const kept = Array.from({ length: 16 }, (_, i) => 2 * i);
  const cut = applyCuts(graph, [hidden.group], [kept]);
  expect(anatomyOf(cut).hidden.map(({ count }) => count)).toEqual([16]);
  const [logits] = await runGolden({ ...rest, graph: cut }, [expectedOf('roberta')]);
  expect(logits?.every(Number.isFinite)).toBe(true);
});
