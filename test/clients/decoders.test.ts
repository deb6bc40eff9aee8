import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AutoModelForCausalLM, env, Tensor } from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InferenceSession, Tensor as OwnTensor } from '../../engine/engines/onnxruntime/native.ts';
import { decant } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

const NEW_TOKENS = 6;
const prompt = [28, 66, 19, 30, 20];

/** As its maker has it beside the file of test/golden/exports/known/llama_wide-genai: of the graph, and with a word of another. */
const config = {
  ...{ model_type: 'llama', architectures: ['LlamaForCausalLM'], hidden_size: 24, head_dim: 16, rms_norm_eps: 1e-5 },
  ...{ num_attention_heads: 4, num_key_value_heads: 2, num_hidden_layers: 2, intermediate_size: 35, vocab_size: 67 },
};
const genai = { model: { vocab_size: 67, decoder: { num_attention_heads: 4, num_hidden_layers: 2, head_size: 16 } } };

const space = workspace();
beforeAll(() => {
  env.allowRemoteModels = false;
  const file = join(import.meta.dirname, '../golden/exports/known/llama_wide-genai.onnx');
  space.write('llama/config.json', JSON.stringify(config));
  space.write('llama/genai_config.json', JSON.stringify(genai));
  space.write('llama/onnx/model.onnx', '');
  cpSync(file, space.path('llama/onnx/model.onnx'));
});
afterAll(() => space[Symbol.dispose]());

const pruned = async (out: string, ...args: readonly string[]): Promise<string> => {
  const { code, stderr } = await decant(['prune', 'llama', ...args, '-o', out], { cwd: space.folder });
  expect(code).toBe(0);
  return stderr;
};

const settings = (folder: string, name = 'config.json') => JSON.parse(readFileSync(space.path(folder, name), 'utf8'));

/** Tokens that the graph itself likes best, one after the other, without any state kept. */
const ownTokens = async (folder: string): Promise<readonly number[]> => {
  const session = await InferenceSession.create(space.path(folder, 'onnx/model.onnx'));
  const ids = [...prompt];
  for (let step = 0; step < NEW_TOKENS; step++) {
    const whole = (numbers: readonly number[]) =>
      new OwnTensor('int64', BigInt64Array.from(numbers, BigInt), [1, numbers.length]);
    const states = session.inputMetadata.flatMap((input) =>
      input.isTensor && input.name.startsWith('past')
        ? [[input.name, new OwnTensor('float32', new Float32Array(), [1, Number(input.shape[1]), 0, 16])] as const]
        : [],
    );
    const feeds = { input_ids: whole(ids), attention_mask: whole(ids.map(() => 1)), ...Object.fromEntries(states) };
    const logits = Array.from((await session.run(feeds)).logits?.data ?? [], Number).slice(-config.vocab_size);
    ids.push(logits.indexOf(Math.max(...logits)));
  }
  await session.release();
  return ids;
};

/** The same of transformers.js, which makes empty states by config.json and goes on from them. */
const theirTokens = async (folder: string): Promise<readonly number[]> => {
  const model = await AutoModelForCausalLM.from_pretrained(space.path(folder), { dtype: 'fp32' });
  const whole = (numbers: readonly number[]) =>
    new Tensor('int64', BigInt64Array.from(numbers, BigInt), [1, prompt.length]);
  const given = { inputs: whole(prompt), attention_mask: whole(prompt.map(() => 1)) };
  const made = await model.generate({ ...given, max_new_tokens: NEW_TOKENS, do_sample: false });
  await model.dispose();
  return made instanceof Tensor ? Array.from(made.data, Number) : [];
};

const expectSame = async (folder: string): Promise<void> => {
  const own = await ownTokens(folder);
  expect(own).toHaveLength(prompt.length + NEW_TOKENS);
  expect(await theirTokens(folder)).toEqual(own);
};

describe('the folder of a decoder that was cut', () => {
  it('says the counts that are true now, and generates in transformers.js', async () => {
    expect(await pruned('slim', '--keep-heads', '50%', '--keep-ffn', '20')).toBe('');
    expect(settings('slim')).toEqual({
      ...config,
      ...{ num_attention_heads: 2, num_key_value_heads: 1, intermediate_size: 20 },
    });
    expect(settings('slim', 'genai_config.json').model.decoder).toEqual({
      ...genai.model.decoder,
      num_attention_heads: 2,
    });
    await expectSame('slim');
  });

  it('says no number of heads where layers differ in it, tells so, and generates', async () => {
    writeFileSync(space.path('remove.json'), JSON.stringify({ heads: { 0: [2, 3] } }));
    expect(await pruned('uneven', '--remove', 'remove.json')).toMatch(
      /config\.json: num_attention_heads is left out: layers differ in it \(2, 4\)/,
    );
    const { num_attention_heads: heads, num_key_value_heads: keys, ...others } = settings('uneven');
    const { num_attention_heads: _, num_key_value_heads: __, ...same } = config;
    expect([heads, keys, others]).toEqual([undefined, undefined, same]);
    await expectSame('uneven');
  });

  it('keeps the number of layers where the graph still takes their states, and generates', async () => {
    expect(await pruned('short', '--keep-layers', '1')).toMatch(/config\.json: num_hidden_layers stays 2: /);
    expect(settings('short').num_hidden_layers).toBe(2);
    await expectSame('short');
  });
});
