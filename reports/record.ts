import type { ArtifactKind, InputArtifact } from '../ground/artifact.ts';
import type { Json, Metrics } from '../ground/json.ts';
import type { Gate } from './gates/gate.ts';

/** An engine and the device behind it, as its driver calls it. */
export interface RanOn {
  readonly engine: string;
  readonly device: string;
}

/** One step of a run as it ended, from the store or freshly made. */
export interface StepSummary {
  /** True when it was reused instead of run. */
  readonly cached: boolean;
  /** Seconds the work took when it was done. */
  readonly seconds: number;
  readonly metrics: Metrics;
  readonly outputs: Readonly<Record<string, InputArtifact>>;
  /** Where its graphs ran; absent for the CPU. */
  readonly ranOn?: RanOn;
}

/** A step that stands in every plan: over the data, or over all models at the end. */
export interface AutomaticSummary extends StepSummary {
  /** Its id in the plan: the folder of its records. */
  readonly name: string;
  readonly place: 'data' | 'all-models';
}

/** One stage of the YAML. `step` is null where the run ended before it. */
export interface StageSummary {
  readonly id: string;
  readonly uses: string;
  readonly version: number;
  /** Its options with their defaults. */
  readonly config: Readonly<Record<string, Json>>;
  /** Stage ids by input name. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly step: StepSummary | null;
  /** Its evaluation on the test split; null for stages that make no model. */
  readonly evaluation: StepSummary | null;
  /** The same on the validation split, where the file has variants. */
  readonly validation?: StepSummary;
  /** Seconds of internal steps that only this stage asked for, such as labelling by a teacher. */
  readonly extraSeconds: number;
  /** What such steps have to say of what they did. */
  readonly askedNotes?: readonly string[];
  /** The step that chose its engine, where the file leaves that to decant. */
  readonly choice?: StepSummary;
}

/** Everything a report is made from. The pipeline fills it; reports read it. */
export interface RunSummary {
  readonly name: string;
  /** When the run ended, ISO 8601. */
  readonly created: string;
  readonly yaml: string;
  readonly overrides: readonly string[];
  /** Limits that the report is held against. */
  readonly gates: readonly Gate[];
  readonly seed: number;
  /** Seeds whose runs lie in folders below this one; absent in a run of one seed. */
  readonly seeds?: readonly number[];
  readonly threads: number;
  readonly decantVersion: string;
  /** `uses` of the data section. */
  readonly data: string;
  /** Finished steps that no stage asked for and that are about no single model. */
  readonly automatic: readonly AutomaticSummary[];
  readonly stages: readonly StageSummary[];
  /** Internal steps that stages asked for, such as labelling by a teacher. */
  readonly helpers: readonly StepSummary[];
  /** Wall-clock seconds of this run. */
  readonly seconds: number;
  /** The stage that `--until` named; absent where the whole file ran. */
  readonly until?: string;
  /** The step that failed, and why; absent where none did. */
  readonly failed?: { readonly step: string; readonly message: string };
  /** What the file asks for and the run has not: stages, steps over all models, further seeds. Absent where it has all. */
  readonly missing?: readonly string[];
  /** What people call the data; absent in records of earlier versions. */
  readonly dataName?: string;
  /** Keys of its steps in the store; absent in records of earlier versions. */
  readonly keys?: readonly string[];
}

/** What a step made of a kind. */
export const outputIn = ({ outputs }: StepSummary, kind: ArtifactKind): InputArtifact | undefined =>
  Object.values(outputs).find(({ artifact }) => artifact.kind === kind);

/** The automatic step that made something of a kind; null where the run ended before it, or the file left it out. */
export const stepMaking = ({ automatic }: RunSummary, kind: ArtifactKind): StepSummary | null =>
  automatic.find((step) => outputIn(step, kind) !== undefined) ?? null;

/** What it made. */
export const outputOf = (run: RunSummary, kind: ArtifactKind): InputArtifact | undefined => {
  const step = stepMaking(run, kind);
  return step === null ? undefined : outputIn(step, kind);
};

/** Steps over the data that did not read it: what models are compared with. */
export const baselineSteps = ({ automatic }: RunSummary): readonly StepSummary[] =>
  automatic.filter((step) => step.place === 'data' && outputIn(step, 'dataset') === undefined);
