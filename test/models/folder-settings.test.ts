import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TextInput } from '../../data/tokenize.ts';
import { tokenizerOf } from '../../data/tokenize.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { isUserError } from '../../ground/errors.ts';
import { readFolderTokenizer } from '../../models/importers/folder/tokenizer.ts';
import { importModel } from '../../models/importers/index.ts';
import { type Model, tokenizerIn } from '../../models/model.ts';
import { withSentence } from '../../models/sentence.ts';
import { answerName } from '../../models/signature.ts';
import { feedsOf } from './golden-checkpoints.ts';
import { sentenceCases, tokenCases, writeCase } from './golden-folders.ts';
import { largestDifference } from './support.ts';

/** The files hold six digits. */
const PYTHON = 1e-4;

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'decant-settings-'));
});
afterAll(() => rmSync(root, { recursive: true }));

/** What was computed, or undefined where the folder was refused. */
const unlessRefused = async <T>(compute: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await compute();
  } catch (error) {
    if (isUserError(error, 'import')) return undefined;
    throw error;
  }
};

const idsOf = async (folder: string, texts: readonly TextInput[]): Promise<readonly number[][]> => {
  const {
    model_type: modelType,
    tokenizer_class: tokenizerClass,
    vocab_size: vocabulary,
  } = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
  const facts = { modelType, tokenizerClass, vocabulary, padding: null };
  const { encoder, maxLength } = readFolderTokenizer(folder, facts);
  const rows: number[][] = [];
  for (const text of texts) rows.push([...(await encoder.encode(text, Math.min(maxLength, 1e6))).ids]);
  return rows;
};

describe.each([...new Set(tokenCases.cases.map(({ base }) => base))])('settings beside the tokenizer of %s', (base) => {
  const cases = tokenCases.cases.filter((one) => one.base === base);
  const [text, pair] = tokenCases.pair;
  const texts = [...tokenCases.texts, { text, pair }];

  it('do what they do in transformers, or are refused', async () => {
    let [carriedOut, refused] = [0, 0];
    for (const { files, ids } of cases) {
      const folder = join(root, base);
      writeCase(folder, base, files, true);
      const mine = await unlessRefused(() => idsOf(folder, texts));
      if (mine === undefined) refused++;
      else {
        expect({ files, ids: mine }).toEqual({ files, ids });
        carriedOut++;
      }
    }
    expect(carriedOut).toBeGreaterThan(30);
    expect(refused).toBeGreaterThan(4);
  });
});

const vectorsOf = async (model: Model, texts: readonly string[]): Promise<readonly (readonly number[])[]> => {
  const { graph, info } = withSentence(model);
  const vector = answerName(info.signature);
  const program = await cpuEngine.compile(graph, { threads: 1 });
  const encoder = tokenizerOf(tokenizerIn(model));
  const rows: number[][] = [];
  for (const text of texts) {
    const ids = [...(await encoder.encode(text, model.info.maxLength)).ids];
    const outputs = await program.run(feedsOf(model.info, { ids: [ids], mask: [ids.map(() => 1)] }));
    rows.push(Array.from(outputs[vector]?.data ?? [], Number));
  }
  await program.release();
  return rows;
};

describe('a folder of sentence-transformers', () => {
  it('makes the vectors of the library from whatever its files say, or is refused', async () => {
    let [carriedOut, refused] = [0, 0];
    for (const { files, vectors } of sentenceCases.cases) {
      const folder = join(root, 'sentence');
      writeCase(folder, 'sentence-transformers', files, false);
      const model = await unlessRefused(() => importModel(folder, '/', { head: 'keep' }));
      if (model === undefined) refused++;
      else {
        const mine = await vectorsOf(model, sentenceCases.texts);
        expect([files, mine.length]).toEqual([files, vectors?.length]);
        expect([files, largestDifference(mine.flat(), vectors?.flat() ?? []) < PYTHON]).toEqual([files, true]);
        carriedOut++;
      }
    }
    expect([carriedOut, refused]).toEqual([27, 16]);
  });
});
