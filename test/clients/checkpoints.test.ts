import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AutoModel,
  AutoModelForCausalLM,
  AutoModelForImageClassification,
  AutoModelForMaskedLM,
  AutoModelForSeq2SeqLM,
  AutoModelForSequenceClassification,
  AutoModelForTokenClassification,
  AutoTokenizer,
  env,
} from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { modelTask, type TaskName } from '../../ground/tasks.ts';
import { importFolder } from '../../models/importers/folder/index.ts';
import { tokenizerIn, tokensIn } from '../../models/model.ts';
import { clientOptions, type Precision } from '../../models/precision.ts';
import { families } from '../../stages/export/families.ts';
import { cutVocabulary } from '../../stages/prune/vocabulary.ts';
import { largestDifference } from '../models/support.ts';
import { usedTokens } from '../rig/used-tokens.ts';
import { workspace } from '../rig/workspace.ts';
import { encoderFamilies, exportInto, golden, ownOutputs, ROUNDING } from './rig.ts';

const checkpoints = readdirSync(golden, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

const space = workspace();
beforeAll(() => {
  env.allowRemoteModels = false;
});
afterAll(() => space[Symbol.dispose]());

const classes = {
  'image-classification': AutoModelForImageClassification,
  features: AutoModel,
  'text-classification': AutoModelForSequenceClassification,
  'token-classification': AutoModelForTokenClassification,
  'named-entities': AutoModelForTokenClassification,
  'multi-label': AutoModelForSequenceClassification,
  score: AutoModelForSequenceClassification,
  'fill-mask': AutoModelForMaskedLM,
  'text-generation': AutoModelForCausalLM,
  text2text: AutoModelForSeq2SeqLM,
} as const;

const inputs = [
  { text: 'Old dogs sleep near the café while birds sing.' },
  { text: 'Is it late?', pair: 'Nobody knows, said the report.' },
];

/** Transformer.js's own outputs of a folder, text by text. */
const clientOutputs = async (
  folder: string,
  task: TaskName,
  dtype: Precision,
): Promise<readonly (readonly number[])[]> => {
  const tokenizer = await AutoTokenizer.from_pretrained(folder);
  const client = await classes[task].from_pretrained(folder, clientOptions(dtype));
  const outputs: number[][] = [];
  for (const { text, pair } of inputs) {
    const encoded = tokenizer(text, {
      ...(pair === undefined ? {} : { text_pair: pair }),
      truncation: true,
      padding: true,
    });
    const said = await client(encoded);
    outputs.push(Array.from((said.logits ?? said.last_hidden_state).data, Number));
  }
  await client.dispose();
  return outputs;
};

const config = z.looseObject({ model_type: z.string(), architectures: z.array(z.string()) });
const configOf = (folder: string) => config.parse(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')));

/** What an export does not say again, or says besides. */
const ofTheFile = { dtype: undefined, transformers_version: undefined };
const ofTheExport = { decant: undefined, 'transformers.js_config': undefined };

describe('checkpoints of every encoder of texts', () => {
  it('are there', () => {
    const found = new Set(checkpoints.map((name) => configOf(join(golden, name)).model_type));
    expect([...found].sort()).toEqual(encoderFamilies.map(([modelType]) => modelType).sort());
  });

  it.each(checkpoints)(
    'come out of transformers.js as out of decant, and say the same of themselves: %s',
    async (name) => {
      const model = await importFolder(join(golden, name), { head: 'keep' });
      // A head makes no other kind of node: one file in 8 bits an architecture tells enough.
      const dtypes: readonly Precision[] = name in families ? ['fp32', 'q8'] : ['fp32'];
      const folder = await exportInto(space.folder, name, model, dtypes);
      for (const dtype of dtypes) {
        const own = await ownOutputs(folder, dtype, inputs);
        const said = await clientOutputs(folder, model.info.task, dtype);
        expect(largestDifference(said.flat(), own.flat(2))).toBeLessThan(ROUNDING);
      }
      const [before, after] = [configOf(join(golden, name)), configOf(folder)];
      if (families[before.model_type]?.missing?.includes(modelTask(model.info.task).about) === true) return;
      const { problem: problem_type } = modelTask(model.info.task);
      const problem = problem_type === undefined ? {} : { problem_type };
      expect({ ...after, ...ofTheExport }).toEqual({ ...before, ...ofTheFile, ...problem });
    },
  );

  it.each(['bert', 'roberta-mlm', 'xlm-roberta'])('go on together after their vocabulary was cut: %s', async (name) => {
    const whole = await importFolder(join(golden, name), { head: 'keep' });
    const { model } = cutVocabulary(whole, 'used', await usedTokens(tokenizerIn(whole), inputs));
    expect(model.info.dimensions.vocabulary).toBeLessThan(whole.info.dimensions.vocabulary ?? 0);
    const folder = await exportInto(space.folder, `${name}-cut`, model, ['fp32']);
    const said = await clientOutputs(folder, model.info.task, 'fp32');
    const own = await ownOutputs(folder, 'fp32', inputs);
    expect(largestDifference(said.flat(), own.flat(2))).toBeLessThan(ROUNDING);
    const { pad_token_id, vocab_size } = configOf(folder);
    expect({ pad_token_id, vocab_size }).toEqual({
      pad_token_id: tokensIn(model.info.processor).padding,
      vocab_size: model.info.dimensions.vocabulary,
    });
  });

  it.each(checkpoints.filter((name) => /features|sentence/.test(name)))('keep the pooling of %s', async (name) => {
    const folder = join(space.folder, name);
    const read = (parent: string, file: string): unknown => {
      try {
        return JSON.parse(readFileSync(join(parent, file), 'utf8'));
      } catch {
        return undefined;
      }
    };
    const pooling = z
      .object({ pooling_mode_mean_tokens: z.boolean(), word_embedding_dimension: z.number() })
      .optional();
    const of = (parent: string) => pooling.parse(read(parent, '1_Pooling/config.json'));
    expect(of(folder)).toEqual(of(join(golden, name)));
  });
});
