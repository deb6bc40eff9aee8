import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { lengthBatches } from '../../data/batches.ts';
import { lengthsOf } from '../../data/lengths.ts';
import { tokenizerOf } from '../../data/tokenize.ts';
import { remembers } from '../../engine/decoding.ts';
import { type Encoded, encodedImage, encodedText, tokensOf } from '../../engine/encoded.ts';
import type { Feeds } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { feedsFor, fitted } from '../../engine/feeds.ts';
import { startOf, withStart } from '../../engine/tasks/text2text.ts';
import { outsideFile } from '../../graph/codec/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { runtimeNeed } from '../../graph/runtime.ts';
import { reworded, stageError } from '../../ground/errors.ts';
import { modelTask, writes } from '../../ground/tasks.ts';
import { withAnswerCache } from '../../models/answer-cache.ts';
import { expectBounded } from '../../models/bounded.ts';
import { withCache } from '../../models/cache.ts';
import { deployFiles, jsonText, readModel, tokenizerText } from '../../models/files.ts';
import { expectFinite } from '../../models/finite.ts';
import { type Model, type PixelRule, pixelsIn, tokenizerIn } from '../../models/model.ts';
import { jsonTextWith } from '../../models/number-texts.ts';
import { onnxFile, type Precision, precisions } from '../../models/precision.ts';
import { precisionOf } from '../../models/precision-of.ts';
import { hasSides } from '../../models/sides.ts';
import { answerName } from '../../models/signature.ts';
import { expectAnswering } from './answered.ts';
import { type CardWords, modelCard } from './card.ts';
import { configJson, generationJson } from './config.ts';
import { asItDecodes, expectDecoding } from './decoding.ts';
import { differ } from './differ.ts';
import { preprocessorConfigJson } from './preprocessor.ts';
import { sentenceFileNames, sentenceFiles } from './sentence.ts';
import { bytesWritten, graphFiles, writeGraphs } from './sides.ts';
import { specialTokens, tokenizerConfigJson } from './tokens.ts';

/** How texts are written on, where a client asks for nothing else. */
const generationFile = 'generation_config.json';

/** Every file that an export may write: what a later one into the same folder replaces. */
export const exportFiles: readonly string[] = [
  ...Object.values(deployFiles),
  ...precisions.flatMap(graphFiles).flatMap((file) => [file, outsideFile(file)]),
  'README.md',
  'special_tokens_map.json',
  generationFile,
  ...sentenceFileNames,
];

/** The models of one folder by precision. */
export type Models = ReadonlyMap<Precision, Model>;

export interface ExportOptions {
  readonly threads: number;
  /** A line of the model card: where its figures are, or empty. */
  readonly results: string;
  /** Languages of the texts, for the card; unknown where nobody says. */
  readonly languages?: readonly string[];
}

/** Both files share one tokenizer and one config, so both models must mean the same by ids and classes. */
const sharedModel = (models: Models): Model => {
  const [first, ...others] = [...models.values()];
  if (first === undefined) throw stageError('export needs a model: from: { fp32: ID }, { q8: ID } or several of them');
  for (const other of others) {
    for (const part of ['task', 'labels', 'maxLength', 'processor', 'signature'] as const) {
      if (JSON.stringify(first.info[part]) !== JSON.stringify(other.info[part])) {
        throw stageError(differ(part));
      }
    }
    if (JSON.stringify(first.tokenizer) !== JSON.stringify(other.tokenizer)) {
      throw stageError('its models have different tokenizers: they must come from one model');
    }
  }
  return first;
};

/** A file of few bits ships as the quantize stage tested it; the fp32 file is fused here. */
const fused = (precision: Precision, model: Model): Model => {
  const own = precisionOf(model.graph);
  if (own !== precision) {
    throw stageError(`the ${precision} model is stored in ${own}; write from: { ${own}: ID } for it`);
  }
  return precision === 'fp32' ? { ...model, graph: fuseForInference(model.graph) } : model;
};

const write = async (folder: string, file: string, text: string): Promise<void> => {
  const path = join(folder, file);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
};

/** How clients read what the model is given. */
const readingFiles = ({ info, tokenizer }: Model): Readonly<Record<string, string>> =>
  tokenizer === undefined
    ? { [deployFiles.preprocessor]: jsonText(preprocessorConfigJson(info)) }
    : {
        [deployFiles.tokenizer]: tokenizerText(tokenizer),
        [deployFiles.tokenizerConfig]: jsonText(tokenizerConfigJson(info, tokenizer)),
        'special_tokens_map.json': jsonText(specialTokens(info, tokenizer)),
      };

const writeFolder = async (folder: string, models: Models, shared: Model, said: CardWords): Promise<void> => {
  const { info } = shared;
  const graphs = new Map([...models].map(([precision, { graph }]) => [precision, graph]));
  const needs = new Map([...graphs].map(([precision, graph]) => [precision, runtimeNeed(graph)]));
  const files = [...models.keys()];
  const numbers = info.checkpointNumbers ?? {};
  await write(folder, deployFiles.config, jsonTextWith(configJson(info, shared.tokenizer, files), numbers));
  for (const [file, text] of Object.entries(readingFiles(shared))) await write(folder, file, text);
  await write(folder, 'README.md', modelCard(shared, needs, said));
  if (writes(info.task)) await write(folder, generationFile, jsonText(generationJson(info, tokenizerIn(shared))));
  for (const [file, json] of Object.entries(sentenceFiles(shared))) await write(folder, file, jsonText(json));
  await mkdir(join(folder, 'onnx'), { recursive: true });
  for (const [precision, graph] of graphs) await writeGraphs(folder, precision, { graph, info });
};

/** Two texts of different lengths, the shorter one padded: what a client sends first. */
const samples = ['a', 'two texts of different lengths, the shorter one padded'];

/** A dark image and a bright one. */
const sampleImages = ({ height, width, channels }: PixelRule): readonly Encoded[] =>
  [0, 255].map((sample) =>
    encodedImage({ height, width, channels, data: new Uint8Array(height * width * channels).fill(sample) }),
  );

const samplesFor = async ({ info, tokenizer }: Model): Promise<readonly Encoded[]> =>
  tokenizer === undefined
    ? sampleImages(pixelsIn(info.processor))
    : asAsked(
        { info, tokenizer },
        (await tokenizerOf(tokenizer).encodeBatch(samples, info.maxLength)).map(encodedText),
      );

/** Texts as they are, or sources whose answers begin. */
const asAsked = (model: Pick<Model, 'info' | 'tokenizer'>, texts: readonly Encoded[]): readonly Encoded[] =>
  modelTask(model.info.task).reads === 'source' ? texts.map((text) => withStart(text, startOf(model))) : texts;

const sampleFeeds = async (model: Model): Promise<Feeds> => {
  const { info } = model;
  const texts = await samplesFor(model);
  const [batch] = lengthBatches(lengthsOf(texts), texts.length);
  if (batch === undefined) throw new Error('there are texts, so there is a batch');
  return feedsFor(info, texts, fitted(info, batch));
};

/** Tokens of the longest of them. */
const longestSample = async (model: Model): Promise<Int32Array> =>
  Int32Array.from((await samplesFor(model)).map(tokensOf).at(-1) ?? []);

const refused = (precision: Precision, error: unknown): never => {
  throw reworded(error, (reason) =>
    stageError(`${onnxFile(precision)} does not run, so nothing was exported: ${reason}`, { cause: error }),
  );
};

/** A written file is read back and run before the folder is published: nothing ships that does not load. */
const verify = async (folder: string, precision: Precision, threads: number): Promise<void> => {
  const model = await readModel(folder, { precision });
  const program = await cpuEngine
    .compile(model.graph, { threads })
    .catch((error: unknown) => refused(precision, error));
  try {
    const outputs = await program.run(await sampleFeeds(model)).catch((error: unknown) => refused(precision, error));
    const output = outputs[answerName(model.info.signature)];
    const finite = output?.data.every((x) => Number.isFinite(Number(x))) ?? false;
    if (!finite) throw stageError(`${onnxFile(precision)} gives numbers that are not finite; nothing was exported`);
  } finally {
    await program.release();
  }
  if (remembers(model)) await expectDecoding(model, await longestSample(model), threads);
  if (hasSides(model.info))
    await expectAnswering(
      model,
      (await samplesFor(model)).map((one) => Int32Array.from(tokensOf(one))),
      threads,
    );
};

/** What writes goes on from what it remembers; others are run as they are. */
const asClientsRun = (model: Model): Model => {
  const { reads } = modelTask(model.info.task);
  if (reads === 'source') return hasSides(model.info) ? model : withAnswerCache(model);
  return reads === 'before' && !remembers(model) ? withCache(model) : model;
};

/** A model as it ships. */
const deployed = async (precision: Precision, model: Model, threads: number): Promise<Model> => {
  const ready = fused(precision, model);
  return remembers(ready) ? await asItDecodes(ready, await longestSample(ready), threads) : ready;
};

/**
 * Writes a folder that transformers.js loads, in Node and in browsers, and runs each of its files once. Gives the bytes of
 * the files.
 */
export const exportModels = async (
  folder: string,
  given: Models,
  { threads, results, languages = [] }: ExportOptions,
): Promise<Readonly<Partial<Record<Precision, number>>>> => {
  const told = new Map([...given].map(([precision, model]) => [precision, asClientsRun(model)]));
  const shared = sharedModel(told);
  for (const { graph } of told.values()) {
    expectBounded(graph);
    expectFinite(graph);
  }
  const models = new Map<Precision, Model>();
  for (const [precision, model] of told) models.set(precision, await deployed(precision, model, threads));
  await writeFolder(folder, models, shared, { results, languages });
  const bytes: Partial<Record<Precision, number>> = {};
  for (const precision of models.keys()) {
    await verify(folder, precision, threads);
    bytes[precision] = await bytesWritten(folder, precision, shared);
  }
  return bytes;
};
