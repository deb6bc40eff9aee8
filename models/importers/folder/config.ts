import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { UserError } from '../../../ground/errors.ts';
import { datasetTasks, hasClasses, modelTask, type TaskName } from '../../../ground/tasks.ts';
import type { AnyArchitecture, Plan } from '../../architectures/architecture.ts';
import { findArchitecture, knownModelTypes } from '../../architectures/index.ts';
import { knownImageTypes } from '../../image-architectures/index.ts';
import type { NumberTexts } from '../../number-texts.ts';
import type { Planner } from '../../planner.ts';
import { importError } from '../importer.ts';
import { issueText, type JsonObject, readJsonObject, readNumberTexts } from '../json-file.ts';
import { configKeys } from './config-keys.ts';
import { checkKeys, newerStrangers, type Strangers } from './keys.ts';
import { labelsOf } from './labels.ts';

export const configFile = 'config.json';

/** What decant reads of config.json whatever the architecture is. */
const commonSchema = z.object({
  model_type: z.string(),
  architectures: z.array(z.string()).nullish(),
  id2label: z.record(z.string(), z.unknown()).nullish(),
  label2id: z.record(z.string(), z.unknown()).nullish(),
  num_labels: z.int().min(1).max(1_000_000).nullish(),
  problem_type: z.string().nullish(),
  transformers_version: z.unknown().optional(),
});

/** What config.json says, whatever its model reads. */
export interface PlannedConfig<P> {
  /** The file as it was read. */
  readonly json: JsonObject;
  readonly numbers: NumberTexts;
  readonly modelType: string;
  readonly architecture: Planner<P>;
  readonly plan: P;
  /** The class in transformers that the checkpoint was saved from: 'BertForSequenceClassification'; '' where it is not said. */
  readonly savedFrom: string;
  /** Class names by index, where the file has any. */
  readonly labels: readonly string[];
  readonly problem: string | undefined;
  /** Why keys that are not known are refused in this folder, if they are. */
  readonly strangers: Strangers;
}

export type FolderConfig = PlannedConfig<Plan>;

const configError = (issues: readonly z.core.$ZodIssue[]): UserError =>
  importError(`${configFile}: ${issueText(issues)}`);

const architectureOf = (modelType: string): AnyArchitecture => {
  const found = findArchitecture(modelType);
  if (found !== undefined) return found;
  const known = [...knownModelTypes(), ...knownImageTypes()].join(', ');
  throw importError(`${configFile}: decant knows no architecture '${modelType}'; it knows ${known}`);
};

/** A million class names fit. All of the file goes into every model that is made of it. */
const CONFIG_LIMIT = 32 * 1024 * 1024;

/** The model_type that a folder names; undefined where it has no config.json, or one that names none. */
export const modelTypeIn = (folder: string): string | undefined => {
  const path = join(folder, configFile);
  const { model_type: type } = existsSync(path) ? readJsonObject(path, CONFIG_LIMIT) : {};
  return typeof type === 'string' ? type : undefined;
};

/** Reads config.json and asks the architecture that it names for a plan. */
export const readConfig = (folder: string): FolderConfig => readPlanned(folder, architectureOf);

/** The same with architectures from elsewhere. */
export const readPlanned = <P>(
  folder: string,
  architectureFor: (modelType: string) => Planner<P>,
): PlannedConfig<P> => {
  const json = readJsonObject(join(folder, configFile), CONFIG_LIMIT);
  const parsed = commonSchema.safeParse(json, { reportInput: true });
  if (!parsed.success) throw configError(parsed.error.issues);
  const { model_type: modelType, architectures, problem_type, transformers_version: written } = parsed.data;
  const architecture = architectureFor(modelType);
  const strangers = newerStrangers('transformers', written);
  checkKeys(configFile, json, configKeys(architecture.keys), strangers);
  const planned = architecture.plan(json);
  if ('issues' in planned) throw configError(planned.issues);
  return {
    json,
    numbers: readNumberTexts(join(folder, configFile)),
    modelType,
    architecture,
    plan: planned.plan,
    savedFrom: architectures?.[0] ?? '',
    labels: labelsOf(parsed.data),
    strangers,
    problem: problem_type ?? undefined,
  };
};

/**
 * Tasks by the end of the class name. Pretraining classes hold a masked language model beside another head, but for ELECTRA's,
 * which tells replaced words.
 */
const suffixes: readonly (readonly [RegExp, TaskName])[] = datasetTasks.flatMap((task) => {
  const { about, answer, classSuffix, reads } = modelTask(task);
  if (answer === 'vector') return [];
  const pretrained = '|(?<!^Electra)ForPreTraining$';
  const others = about !== 'token' ? '' : reads === undefined ? pretrained : '|GPT2LMHeadModel$';
  return [[new RegExp(`${classSuffix}$${others}`), task] as const];
});

/** What transformers takes a head for that says nothing of its problem. */
const problemIn = ({ problem, labels }: FolderConfig): string =>
  problem ?? (labels.length === 1 ? 'regression' : 'single_label_classification');

/** What keeps a head of some classes from being one that decant knows. */
const classesProblem = ({ labels }: FolderConfig, task: TaskName): string | undefined => {
  if (labels.length < 2 && modelTask(task).answer === 'choice') return 'it has one class';
  return new Set(labels).size < labels.length ? 'two of its classes have the same name' : undefined;
};

/** What to do about a head that cannot be imported. */
export const takesEncoder = "'head: new' takes the encoder without it";

export const unknownHead = (savedFrom: string): UserError =>
  importError(`${configFile}: the model is a ${savedFrom}, a head that decant does not know; ${takesEncoder}`);

/** The task of a head among those whose models are saved from one class; else what is wrong with it. */
const taskAmong = (heads: readonly TaskName[], config: FolderConfig): { readonly task: TaskName } | string => {
  const problem = problemIn(config);
  const task = heads.find((one) => (modelTask(one).problem ?? problem) === problem);
  if (task === undefined)
    return config.problem === undefined ? `it has one output, a ${problem}` : `its problem_type is ${problem}`;
  if (modelTask(task).answer === 'number' && config.labels.length !== 1)
    return `it has ${config.labels.length} outputs, a regression of several numbers`;
  return (hasClasses(task) ? classesProblem(config, task) : undefined) ?? { task };
};

/** The head that the checkpoint is imported with; undefined for features. */
export const headOf = (config: FolderConfig, headless: boolean): TaskName | undefined => {
  const { savedFrom, architecture } = config;
  if (headless) return undefined;
  // Nothing that is read here answers a source.
  const fits = (task: TaskName): boolean =>
    modelTask(task).reads === (architecture.decodes === true ? 'before' : undefined);
  const heads = suffixes.flatMap(([suffix, task]) => (suffix.test(savedFrom) && fits(task) ? [task] : []));
  if (heads.length === 0) {
    if (!/For[A-Z]\w*$|LMHeadModel$/.test(savedFrom)) return undefined;
    throw unknownHead(savedFrom);
  }
  const head = taskAmong(heads, config);
  if (typeof head !== 'string') return head.task;
  const known = heads.flatMap((one) => modelTask(one).problem ?? []);
  const expected = known.length === 0 ? 'two classes or more' : known.join(' or ');
  throw importError(`${configFile}: ${head}, decant reads such a head for ${expected}; ${takesEncoder}`);
};
