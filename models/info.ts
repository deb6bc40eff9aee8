import { z } from 'zod';
import { type Value, value } from '../graph/graph.ts';
import { modelTask, type TaskName, datasetTasks as taskNames } from '../ground/tasks.ts';
import type { ModelInfo } from './model.ts';
import {
  axes,
  featuresPort,
  inputRoles,
  type OutputRole,
  type Port,
  textPort,
  textSignature,
  tokenPort,
} from './signature.ts';

const valueName = z.string().min(1).transform(value);

const axis = z.enum(axes);

const port = { name: valueName, axes: z.array(axis), multipleOf: z.int().positive().exactOptional() };

const signature = z.object({
  inputs: z.array(z.object({ role: z.enum(inputRoles), ...port })),
  outputs: z.array(z.object({ role: z.enum(['scores', 'hidden']), ...port })).min(1),
  states: z.array(
    z.object({ past: valueName, present: valueName, axes: z.array(z.union([axis, z.int().positive()])) }),
  ),
});

const taskName = z.enum(taskNames);

const id = z.int().nonnegative();
const tokens = z.object({ padding: id, unknown: id, start: id.exactOptional() });

const size = z.int().positive();

const pixels = z.object({
  ...{ channels: size, height: size, width: size, scale: z.number().positive() },
  mean: z.array(z.number()),
  deviation: z.array(z.number().positive()),
});

const sentence = z.object({ pooling: z.enum(['mean', 'first']), normalize: z.boolean() });

const thresholds = z.array(z.number().gt(0).lt(1));

const facts = {
  task: taskName,
  labels: z.array(z.string()),
  maxLength: z.int().positive(),
  modelType: z.string(),
  checkpoint: z.record(z.string(), z.unknown()).exactOptional(),
  checkpointNumbers: z.record(z.string(), z.string()).exactOptional(),
  tokenizerConfig: z.record(z.string(), z.unknown()).exactOptional(),
  dimensions: z.record(z.string(), z.number()),
  origin: z.string().exactOptional(),
};

const infoSchema = z.object({
  schema: z.literal('decant.model/2'),
  signature,
  processor: z.object({
    tokens: tokens.exactOptional(),
    pixels: pixels.exactOptional(),
    sentence: sentence.exactOptional(),
    thresholds: thresholds.exactOptional(),
    activation: z.enum(['sigmoid']).exactOptional(),
  }),
  hiddenStates: z.array(valueName).exactOptional(),
  sparse: z.array(valueName).exactOptional(),
  ...facts,
});

/** What was written before models had signatures: inputs of texts by name, one output, and fields of single tasks. */
const before = z.object({
  schema: z.literal('decant.model/1'),
  inputs: z.object({ ids: valueName, mask: valueName, types: valueName.exactOptional() }),
  output: valueName,
  sentence: sentence.exactOptional(),
  tokens,
  hiddenStates: z.array(valueName),
  ...facts,
});

/** What models of each task put out, as importers and decant's own heads make them. */
export const outputPort = (task: TaskName, name: Value): Port<OutputRole> => {
  const { about, answer } = modelTask(task);
  if (answer === 'vector') return featuresPort(name);
  return about === 'text' || about === 'image' ? textPort(name) : tokenPort(name);
};

const fromBefore = (info: z.infer<typeof before>): ModelInfo => {
  const { schema: _, inputs, output, sentence: rule, tokens: special, hiddenStates, ...rest } = info;
  return {
    ...{ schema: 'decant.model/2', ...rest },
    signature: textSignature(inputs, outputPort(rest.task, output)),
    processor: { tokens: special, ...(rule === undefined ? {} : { sentence: rule }) },
    // An export named none: its graph is fused.
    ...(hiddenStates.length === 0 ? {} : { hiddenStates }),
  };
};

/** What model.json says, of today's schema or the one before; else what is wrong with it. */
export const infoFrom = (json: unknown): ModelInfo | string => {
  const old = Object(json).schema === 'decant.model/1';
  const parsed = old ? before.transform(fromBefore).safeParse(json) : infoSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return `${issue?.path.join('.') || 'the document'}: ${issue?.message}`;
};
