import { z } from 'zod';
import { type Artifact, artifactKinds, type Digest } from '../../ground/artifact.ts';
import type { Json, Metrics } from '../../ground/json.ts';
import type { StepFigures } from '../events.ts';
import { hashJson } from './hash.ts';

/** Everything that decides what a step makes, as data: why a step runs again is a difference of two of these. */
export interface Fingerprint {
  readonly uses: string;
  readonly version: number;
  /** The configuration with its defaults. */
  readonly config: Json;
  /** Only of stages that draw random numbers. */
  readonly seed?: number;
  /** Digests of input artifacts by name. */
  readonly inputs: Readonly<Record<string, Digest>>;
  /** Digests of outside files, in the order in which the stage names them. */
  readonly sources: Readonly<Record<string, Digest>>;
  /** Runtime, provider, threads, machine: as much of it as the step depends on. */
  readonly environment: Readonly<Record<string, Json>>;
}

/** A finished step as the store keeps it. */
export interface StepRecord {
  readonly schema: 'decant.record/1';
  readonly key: Digest;
  /** Pipeline and step that made it first: to find the closest earlier run of a step. */
  readonly pipeline: string;
  readonly step: string;
  readonly fingerprint: Fingerprint;
  readonly outputs: Readonly<Record<string, Artifact>>;
  readonly metrics: Metrics;
  readonly seconds: number;
  /** Of steps that ask a model; records of earlier versions have none. */
  readonly figures?: StepFigures;
  /** Most bytes that its process held, what it started not included; records of earlier versions do not say. */
  readonly peak?: number;
  /** ISO 8601. */
  readonly finished: string;
}

const digest = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .transform((hex) => hex as Digest);
const json: z.ZodType<Json> = z.json();
const blob = z.object({ digest, size: z.number() });

const record: z.ZodType<StepRecord> = z.object({
  schema: z.literal('decant.record/1'),
  key: digest,
  pipeline: z.string(),
  step: z.string(),
  fingerprint: z
    .object({
      uses: z.string(),
      version: z.number(),
      config: json,
      seed: z.number().optional(),
      inputs: z.record(z.string(), digest),
      sources: z.record(z.string(), digest),
      environment: z.record(z.string(), json),
    })
    .transform(({ seed, ...rest }): Fingerprint => (seed === undefined ? rest : { ...rest, seed })),
  outputs: z.record(
    z.string(),
    z.object({ kind: z.enum(artifactKinds), digest, size: z.number(), files: z.record(z.string(), blob) }),
  ),
  metrics: z.record(z.string(), json),
  seconds: z.number(),
  figures: z
    .object({ metric: z.string(), score: z.number(), low: z.number(), high: z.number(), answers: z.number() })
    .exactOptional(),
  peak: z.number().exactOptional(),
  finished: z.string(),
});

/** A record as text with a checksum over it. */
export const recordText = (content: StepRecord): string =>
  `${JSON.stringify({ checksum: hashJson(content), record: content }, null, 1)}\n`;

/** A record from its text; undefined when it is damaged or of another version. */
export const parseRecord = (text: string): StepRecord | undefined => {
  try {
    const { checksum, record: content } = z
      .object({ checksum: z.string(), record: z.unknown() })
      .parse(JSON.parse(text));
    return checksum === hashJson(content) ? record.parse(content) : undefined;
  } catch {
    return undefined;
  }
};
