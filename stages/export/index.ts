import { mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { lengthBatches } from '../../data/batches.ts';
import { lengthsOf } from '../../data/lengths.ts';
import { tokenizerOf } from '../../data/tokenize.ts';
import type { Feeds } from '../../engine/engine.ts';
import { textFeeds } from '../../engine/feeds.ts';
import { ortEngine } from '../../engine/onnxruntime.ts';
import { writeGraph } from '../../graph/codec/index.ts';
import type { Graph } from '../../graph/graph.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import {
  deployFiles,
  jsonText,
  type Precision,
  readModel,
  readModelArtifact,
  tokenizerText,
} from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { isQuantized } from '../../models/quantized.ts';
import { defineStage, type InputArtifact, type Metrics, StageError } from '../stage.ts';
import { modelCard } from './card.ts';
import { configJson, specialTokens, tokenizerConfigJson } from './config.ts';

const config = z.strictObject({
  to: z.literal('transformers-js').default('transformers-js').meta({ description: 'Layout of the folder.' }),
});

const precisions: readonly Precision[] = ['fp32', 'q8'];

type Models = ReadonlyMap<Precision, Model>;

const readModels = async (inputs: Readonly<Record<string, InputArtifact>>): Promise<Models> => {
  const models = new Map<Precision, Model>();
  for (const precision of precisions) {
    const input = inputs[precision];
    if (input !== undefined) models.set(precision, await readModelArtifact(input.path));
  }
  return models;
};

/** Both files share one tokenizer and one config, so both models must mean the same by ids and classes. */
const sharedModel = (models: Models): Model => {
  const [first, ...others] = [...models.values()];
  if (first === undefined) throw new StageError('export needs a model: from: { fp32: ID } or { q8: ID } or both');
  for (const other of others) {
    for (const part of ['task', 'labels', 'maxLength', 'tokens', 'inputs'] as const) {
      if (JSON.stringify(first.info[part]) !== JSON.stringify(other.info[part])) {
        throw new StageError(`the fp32 and q8 models differ in ${part}: they must come from one model`);
      }
    }
    if (JSON.stringify(first.tokenizer) !== JSON.stringify(other.tokenizer)) {
      throw new StageError('the fp32 and q8 models have different tokenizers: they must come from one model');
    }
  }
  return first;
};

/** The q8 file ships as the quantize stage tested it; the fp32 file is fused here. */
const deployGraph = (precision: Precision, { graph }: Model): Graph => {
  if (precision === 'fp32') {
    if (isQuantized(graph)) throw new StageError('the fp32 model is quantized; write from: { q8: ID } for it');
    return fuseForInference(graph);
  }
  if (!isQuantized(graph)) throw new StageError('the q8 model is not quantized; name a quantize stage');
  return graph;
};

const write = async (folder: string, file: string, text: string): Promise<void> => {
  const path = join(folder, file);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
};

const writeFolder = async (folder: string, models: Models, shared: Model): Promise<void> => {
  const { info, tokenizer } = shared;
  const files = [...models.keys()];
  await write(folder, deployFiles.config, jsonText(configJson(info, files)));
  await write(folder, deployFiles.tokenizer, tokenizerText(tokenizer));
  await write(folder, deployFiles.tokenizerConfig, jsonText(tokenizerConfigJson(info, tokenizer)));
  await write(folder, 'special_tokens_map.json', jsonText(specialTokens(info, tokenizer)));
  await write(folder, 'README.md', modelCard(info, files));
  await mkdir(join(folder, 'onnx'), { recursive: true });
  for (const [precision, model] of models) {
    await writeGraph(join(folder, deployFiles[precision]), deployGraph(precision, model));
  }
};

/** Two texts of different lengths, the shorter one padded: what a client sends first. */
const samples = ['a', 'two texts of different lengths, the shorter one padded'];

const sampleFeeds = ({ info, tokenizer }: Model): Feeds => {
  const encoder = tokenizerOf(tokenizer);
  const texts = samples.map((text) => encoder.encode(text, info.maxLength));
  const [batch] = lengthBatches(lengthsOf(texts), texts.length);
  if (batch === undefined) throw new Error('there are texts, so there is a batch');
  return textFeeds(info, texts, batch);
};

/** A written file is read back and run before the folder is published: nothing ships that does not load. */
const verify = async (folder: string, precision: Precision, threads: number): Promise<void> => {
  const model = await readModel(folder, { precision });
  const program = await ortEngine.compile(model.graph, { threads });
  try {
    const output = (await program.run(sampleFeeds(model)))[model.info.output];
    const finite = output?.data.every((x) => Number.isFinite(Number(x))) ?? false;
    if (!finite)
      throw new StageError(`${deployFiles[precision]} gives numbers that are not finite; nothing was exported`);
  } finally {
    await program.release();
  }
};

/** Writes a folder that transformers.js loads, in Node and in browsers. */
export const exportStage = defineStage({
  uses: 'export',
  version: 3,
  summary: 'A folder that @huggingface/transformers loads: ONNX files, tokenizer, config and model card.',
  config,
  makes: 'folder',
  draws: false,
  from: precisions,
  wire: () => ({}),
  run: async (inputs, _, ctx): Promise<Metrics> => {
    const models = await readModels(inputs);
    const shared = sharedModel(models);
    const folder = await ctx.output('folder', 'folder');
    await writeFolder(folder, models, shared);
    const bytes: Record<string, number> = {};
    for (const precision of models.keys()) {
      await verify(folder, precision, ctx.threads);
      bytes[precision] = (await stat(join(folder, deployFiles[precision]))).size;
    }
    return { files: [...models.keys()], bytes };
  },
});
