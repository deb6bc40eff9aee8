import type { Dataset } from '../../data/dataset.ts';
import { readDatasetArtifact } from '../../data/files.ts';
import { lengthsOf, typicalLengths } from '../../data/lengths.ts';
import type { Encoded } from '../../engine/encoded.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { type DataTask, dataTask, modelTask, writes } from '../../ground/tasks.ts';
import { readModelArtifact } from '../../models/files.ts';
import { modelFigures } from '../../models/inspect.ts';
import type { Model } from '../../models/model.ts';
import type { StageRun } from '../stage.ts';
import { encodeExamples } from '../train/examples.ts';
import { writeAnswers } from './answers.ts';
import { inClient } from './client.ts';
import { brotli, bytesAfter, gzip } from './compress.ts';
import { byContinuation } from './continuation.ts';
import { cutNote } from './cut.ts';
import { byFrequency } from './frequency.ts';
import type { Config, Reported } from './index.ts';
import { sampleOf } from './sample.ts';
import { writeTexts } from './written.ts';
import { zeroSavings } from './zeros.ts';

/** The model's graph and weights. */
const modelFiles = ({ artifact, path }: InputArtifact): readonly string[] =>
  Object.keys(artifact.files)
    .filter((name) => name.startsWith('model.onnx'))
    .map(path);

/** What guesses tokens without a model, where what is guessed depends on how a model cuts texts into tokens. */
const guesses: Readonly<Partial<Record<NonNullable<DataTask['baseline']> | 'nothing', typeof byFrequency>>> = {
  frequency: byFrequency,
  continuation: byContinuation,
};

/** The test texts as clients read them: from their beginning on, for they know no stretches, and sources without what answers them. */
const asClientsRead = async (
  model: Model,
  dataset: Dataset,
  encoded: readonly Encoded[],
): Promise<{ readonly dataset: Dataset; readonly encoded: readonly Encoded[] }> => {
  const { task, test } = dataset;
  const isOther = encoded.some(({ text, byRole }) => text !== undefined || byRole.written !== undefined);
  if (!isOther) return { dataset, encoded };
  const sources = modelTask(task).reads === 'source' ? test.map(({ pair: _, ...source }) => source) : test;
  return { dataset: { ...dataset, test: sources }, encoded: (await taskOf(task).ask?.(model, sources)) ?? encoded };
};

export const run: StageRun<Config, Reported> = async (inputs, { client: compares }, ctx) => {
  const { model: modelInput, dataset: datasetInput } = inputs;
  if (modelInput === undefined || datasetInput === undefined) throw new Error('evaluate needs a model and a dataset');
  const model = await readModelArtifact(modelInput.path);
  const dataset = await readDatasetArtifact(datasetInput.path);
  const reading = { model, task: taskOf(dataset.task), dataset };
  const { encoded, targets } = await encodeExamples('test', dataset.test, reading, ctx.signal);
  const { median, p95 } = typicalLengths(lengthsOf(encoded));
  const folder = await ctx.output('predictions', 'predictions');
  const answers = model.info.task === dataset.task && targets.data.length > 0;
  const asked = answers && writes(dataset.task);
  const written = asked ? await writeTexts(model, dataset, ctx) : undefined;
  await writeAnswers(folder, { model, dataset, encoded, targets, written }, ctx);
  const guess = answers ? guesses[dataTask(dataset.task).baseline ?? 'nothing'] : undefined;
  const baselines = await guess?.(model, dataset, targets, ctx.signal);
  const { tokenizer } = model;
  const client =
    compares && tokenizer !== undefined
      ? await inClient({ model: { ...model, tokenizer }, ...(await asClientsRead(model, dataset, encoded)) }, ctx)
      : undefined;
  const sample = written?.sample ?? (asked ? await sampleOf(model, dataset, ctx) : undefined);
  const cut = cutNote(encoded, dataset, model.info);
  const files = modelFiles(modelInput);
  const gzipBytes = await bytesAfter(files, gzip);
  const zeros = await zeroSavings(model.graph, { files, gzipBytes });
  const notes = [...(cut === undefined ? [] : [cut]), ...(client?.notes ?? [])];
  for (const note of notes) ctx.log(note);
  return {
    lengths: { median, p95 },
    ...(notes.length === 0 ? {} : { notes }),
    ...(client === undefined ? {} : { client: { ...client.figures } }),
    ...(baselines === undefined ? {} : { baselines }),
    ...(sample === undefined ? {} : { sample }),
    figures: {
      ...modelFigures(model, median),
      macsLength: median,
      gzipBytes,
      brotliBytes: await bytesAfter(files, brotli),
      ...(zeros === undefined ? {} : { zeros }),
    },
    dimensions: model.info.dimensions,
  };
};
