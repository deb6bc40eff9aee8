import { join } from 'node:path';
import { z } from 'zod';
import { type Artifact, type ArtifactKind, artifactKinds, type Digest } from '../ground/artifact.ts';
import { isUserError, messageOf, systemCode, UserError } from '../ground/errors.ts';
import { readText } from '../ground/whole-file.ts';
import { keptAnswers } from './baselines.ts';
import { sealedRecord, verifySealedRecord } from './checksum.ts';
import { gateSchema } from './gates/schema.ts';
import { type AutomaticSummary, outputIn, type RunSummary, type StageSummary, type StepSummary } from './record.ts';
import { RECORDS, runFile, SCHEMA, schemas } from './run-file.ts';
import { seedFolder } from './seed-folder.ts';
import { verifyFile } from './verify.ts';
import { verifyWritten } from './written.ts';

/** Folder in a stage's of what it answered to validation texts. */
const VALIDATION = 'validation';

/** Kinds of output that a report is computed from; models are described, not kept. */
const kept: readonly ArtifactKind[] = ['dataset', 'predictions', 'measurements', 'profile'];

/** Folders of the seeds of a run; none where it has one seed. */
export const seedFolders = ({ seeds = [] }: RunSummary): readonly string[] => seeds.map(seedFolder);

/** Earlier versions left a baseline's predictions where they were made: no report read them. */
const isRead = (step: AutomaticSummary): boolean =>
  step.place === 'all-models' || outputIn(step, 'dataset') !== undefined || keptAnswers(step);

/** Every step of a run whose files a report reads, by the folder in which its records lie. */
const stepsOf = (run: RunSummary): readonly (readonly [string, StepSummary])[] =>
  [
    ...run.automatic.filter(isRead).map((step) => [step.name, step] as const),
    ...run.stages.map(({ id, evaluation }) => [join('stages', id), evaluation] as const),
    ...run.stages.map(({ id, validation = null }) => [join('stages', id, VALIDATION), validation] as const),
  ].flatMap(([folder, step]) => (step === null ? [] : [[folder, step] as const]));

/** A file of the store, where it belongs in the run's folder, and what it holds. */
export interface RecordFile {
  readonly from: string;
  readonly to: string;
  readonly digest: Digest;
  readonly size: number;
}

/** What has to lie in a run's folder, besides run.json, for its report to be made again. */
export const recordFiles = (run: RunSummary): readonly RecordFile[] =>
  stepsOf(run).flatMap(([folder, { outputs }]) =>
    Object.values(outputs)
      .filter(({ artifact }) => kept.includes(artifact.kind))
      .flatMap(({ artifact, path }) =>
        Object.entries(artifact.files).map(([file, { digest, size }]) => ({
          from: path(file),
          to: join(RECORDS, folder, artifact.kind, file),
          ...{ digest, size },
        })),
      ),
  );

/** records/run.json: the summary with artifacts instead of paths. */
export const recordText = (run: RunSummary): { readonly file: string; readonly text: string } => ({
  file: runFile,
  // `path` is a function, which JSON leaves out.
  text: `${JSON.stringify(sealedRecord({ schema: SCHEMA, ...run }))}\n`,
});

const digestSchema = z.custom<Digest>((value) => typeof value === 'string');
const artifactSchema = z.object({
  kind: z.enum(artifactKinds),
  digest: digestSchema,
  size: z.number(),
  files: z.record(z.string(), z.object({ digest: digestSchema, size: z.number() })),
}) satisfies z.ZodType<Artifact>;
const stepSchema = z.looseObject({
  cached: z.boolean(),
  seconds: z.number(),
  metrics: z.record(z.string(), z.json()),
  outputs: z.record(z.string(), z.looseObject({ artifact: artifactSchema })),
  ranOn: z.object({ engine: z.string(), device: z.string() }).exactOptional(),
});
const automaticSchema = stepSchema.extend({ name: z.string(), place: z.enum(['data', 'all-models']) });

/** The steps that earlier versions kept each under a name of its own. */
const formerSteps = { dataset: 'data', baseline: 'data', measurement: 'all-models', profile: 'all-models' } as const;

/** A record of an earlier version with its automatic steps as a list. */
const withAutomatic = (run: unknown): unknown => {
  if (typeof run !== 'object' || run === null || 'automatic' in run) return run;
  const steps = new Map(Object.entries(run));
  const automatic = Object.entries(formerSteps).flatMap(([name, place]) => {
    const step: unknown = steps.get(name);
    return typeof step === 'object' && step !== null ? [{ ...step, name, place }] : [];
  });
  return { ...run, automatic };
};

const runSchema = z.looseObject({
  schema: z.enum(schemas),
  name: z.string(),
  created: z.string(),
  yaml: z.string(),
  overrides: z.array(z.string()),
  gates: z.array(gateSchema).default([]),
  seed: z.number(),
  seeds: z.array(z.number()).exactOptional(),
  threads: z.number(),
  decantVersion: z.string(),
  data: z.string(),
  automatic: z.array(automaticSchema),
  stages: z.array(
    z.looseObject({
      id: z.string(),
      uses: z.string(),
      version: z.number(),
      config: z.record(z.string(), z.json()),
      inputs: z.record(z.string(), z.string()),
      step: stepSchema.nullable(),
      evaluation: stepSchema.nullable(),
      validation: stepSchema.exactOptional(),
      extraSeconds: z.number(),
      askedNotes: z.array(z.string()).exactOptional(),
      choice: stepSchema.exactOptional(),
    }),
  ),
  helpers: z.array(stepSchema),
  seconds: z.number(),
  until: z.string().exactOptional(),
  failed: z.object({ step: z.string(), message: z.string() }).exactOptional(),
  missing: z.array(z.string()).exactOptional(),
  dataName: z.string().exactOptional(),
  keys: z.array(z.string()).exactOptional(),
});

const stepIn = (folder: string, step: z.infer<typeof stepSchema>): StepSummary => ({
  cached: step.cached,
  seconds: step.seconds,
  metrics: step.metrics,
  ...(step.ranOn === undefined ? {} : { ranOn: step.ranOn }),
  outputs: Object.fromEntries(
    Object.entries(step.outputs).map(([name, { artifact }]) => [
      name,
      { artifact, path: (file: string) => join(folder, artifact.kind, file) },
    ]),
  ),
});

const jsonOf = (file: string, text: string): object => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError(`${file} is damaged: ${messageOf(error)}`, { cause: error });
  }
};

const parseRun = (file: string, text: string): z.infer<typeof runSchema> => {
  const json = jsonOf(file, text);
  const parsed = runSchema.safeParse(withAutomatic(json));
  if (parsed.success) {
    if (parsed.data.schema === SCHEMA) verifySealedRecord(json, file);
    return parsed.data;
  }
  const [issue] = parsed.error.issues;
  throw new UserError(
    `${file} is not what this version of decant records: ${issue?.path.join('.')}: ${issue?.message}`,
  );
};

/** What is wrong with records that cannot be read; undefined where that is a bug. */
export const damageOf = (error: unknown): string | undefined => {
  if (error instanceof z.ZodError) return z.prettifyError(error);
  const ofFile = isUserError(error) || error instanceof SyntaxError || systemCode(error) !== '';
  return ofFile ? messageOf(error) : undefined;
};

/** The record of a run in its folder, as it was left there; the files that it names are not looked at. */
export const readSummary = async (out: string): Promise<RunSummary> => {
  const file = join(out, runFile);
  await verifyWritten(out, [runFile]);
  const text = await readText(file);
  const run = parseRun(file, text);
  const at = (...parts: readonly string[]): string => join(out, RECORDS, ...parts);
  const read = (step: z.infer<typeof stepSchema> | null, ...parts: readonly string[]): StepSummary | null =>
    step === null ? null : stepIn(at(...parts), step);
  return {
    ...run,
    automatic: run.automatic.map(({ name, place, ...step }) => ({ name, place, ...stepIn(at(name), step) })),
    stages: run.stages.map(
      ({ choice, validation, ...stage }): StageSummary => ({
        ...stage,
        ...(validation === undefined ? {} : { validation: stepIn(at('stages', stage.id, VALIDATION), validation) }),
        ...(choice === undefined ? {} : { choice: stepIn(at('helpers'), choice) }),
        step: read(stage.step, 'stages', stage.id),
        evaluation: read(stage.evaluation, 'stages', stage.id),
      }),
    ),
    helpers: run.helpers.map((step) => stepIn(at('helpers'), step)),
  };
};

/**
 * The summary of a run from its folder, every file that a report reads verified against its digest. Throws where run.json is
 * missing, damaged or of another version, and where a file is not what the run left.
 */
export const readRecords = async (out: string): Promise<RunSummary> => {
  const run = await readSummary(out);
  for (const { from, digest, size } of recordFiles(run)) await verifyFile(from, { digest, size });
  return run;
};
