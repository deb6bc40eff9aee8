import { z } from 'zod';
import { anyEngine, defaultEngine, engines } from '../../engine/engines/index.ts';
import { once } from '../../ground/once.ts';
import { isRecord } from '../../ground/records.ts';
import { stageGates } from '../../reports/gates/options.ts';
import type { Section } from '../../stages/stage.ts';
import type { Catalogue } from '../catalogue.ts';
import { logKinds } from '../plan/plan.ts';
import { withDefinitions } from './definitions.ts';
import { ID_PATTERN, ID_WORDS } from './id.ts';
import { variantsSchema } from './variants.ts';

/** The name of an engine, as `decant engines` lists them, or that any may be taken. */
export const engineName = z.enum([anyEngine, ...engines.map(({ name }) => name)]);

const seed = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);

/** Sections that say how steps run which no one names. */
export const sectionsOf = ({ stages }: Catalogue): readonly Section[] =>
  stages.flatMap(({ automatic }) => automatic?.section ?? []);

/** A section as the head of the file knows it: the insides of a mapping are checked by themselves. */
const headOf = ({ schema, summary }: Section): z.ZodType =>
  schema instanceof z.ZodObject
    ? z.record(z.string(), z.unknown()).optional().describe(summary)
    : schema.describe(summary);

/** Everything of the file besides the insides of `data` and of each stage. */
export const headSchema = (catalogue: Catalogue) =>
  z.strictObject({
    name: z.string().min(1).max(100).regex(ID_PATTERN, ID_WORDS).describe('Names the folder of results: runs/NAME.'),
    seed: seed.default(1).describe('Names every random stream of the run.'),
    seeds: z
      .array(seed)
      .min(2, 'expected a list of at least 2 seeds; for one there is "seed"')
      .max(100)
      // Equal seeds make equal runs: a repeated one would only pretend that results vary less.
      .superRefine(once('seed'))
      .optional()
      .describe('Instead of seed: runs once for each and reports mean, deviation and the worst.'),
    engine: engineName
      .default(defaultEngine)
      .describe(
        'What graphs run on where models are trained and asked. auto: each training on the engine that makes its first updates fastest.',
      ),
    log: z
      .enum(logKinds)
      .optional()
      .describe('Writes losses, scores and what every stage comes to for TensorBoard: runs/NAME/tensorboard.'),
    variants: variantsSchema
      .optional()
      .describe('Recipes: the pipeline runs once for each, makes what they share once, and sets them side by side.'),
    data: z.record(z.string(), z.unknown()).describe('The texts and their classes.'),
    stages: z.array(z.unknown()).min(1).describe('What happens to the model, in order.'),
    gates: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('Limits for the figures of stages, by stage id: when one fails, `decant run` exits with 3.'),
    ...Object.fromEntries(sectionsOf(catalogue).map((section) => [section.name, headOf(section)])),
  });

const ofStage = 'What its graphs run on, where that is another than the file names.';

const fromSchema = (names: readonly string[] | undefined): Record<string, unknown> => {
  const id = { type: 'string', description: 'Id of an earlier stage; default: the stage before.' };
  if (names === undefined || names.length < 2) return id;
  const properties = Object.fromEntries(names.map((name) => [name, { type: 'string' }]));
  return { anyOf: [id, { type: 'object', properties, additionalProperties: false, minProperties: 1 }] };
};

const asJson = (schema: z.ZodType): Record<string, unknown> => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return rest;
};

/** JSON Schema of pipeline.yaml with each option written out where it stands. */
export const jsonSchema = (catalogue: Catalogue): Record<string, unknown> => {
  const head = asJson(headSchema(catalogue));
  const stages = catalogue.stages
    .filter(({ place }) => place === 'named')
    .map((stage) => {
      const { properties, required, ...rest } = asJson(stage.config);
      return {
        ...rest,
        title: stage.uses,
        description: stage.summary,
        type: 'object',
        properties: {
          id: {
            type: 'string',
            pattern: ID_PATTERN.source,
            description: 'Names the stage in the report and for `from`.',
          },
          uses: { const: stage.uses, description: stage.summary },
          from: fromSchema(stage.from),
          ...(stage.choosesEngine === true ? { engine: asJson(engineName.describe(ofStage)) } : {}),
          ...(isRecord(properties) ? properties : {}),
        },
        required: ['id', 'uses', ...(Array.isArray(required) ? required : [])],
      };
    });
  const mappings = sectionsOf(catalogue).filter(({ schema }) => schema instanceof z.ZodObject);
  const properties = {
    ...(isRecord(head.properties) ? head.properties : {}),
    data: asJson(catalogue.data),
    stages: {
      type: 'array',
      minItems: 1,
      items: { oneOf: stages },
      description: 'What happens to the model, in order.',
    },
    gates: {
      ...(isRecord(head.properties) && isRecord(head.properties.gates) ? head.properties.gates : {}),
      additionalProperties: asJson(stageGates),
    },
    ...Object.fromEntries(mappings.map(({ name, schema }) => [name, asJson(schema)])),
  };
  const oneOfThem = { not: { required: ['seed', 'seeds'] } };
  return {
    ...{ $schema: 'http://json-schema.org/draft-07/schema#', title: 'decant pipeline' },
    ...head,
    properties,
    ...oneOfThem,
  };
};

/** The same as yaml-language-server reads it, where what stages share is written once. */
export const editorSchema = (catalogue: Catalogue): Record<string, unknown> => withDefinitions(jsonSchema(catalogue));
