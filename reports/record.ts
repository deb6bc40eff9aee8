import type { InputArtifact } from '../ground/artifact.ts';
import type { Json, Metrics } from '../ground/json.ts';
import type { Gate } from './gates/gate.ts';

/** One step of a run as it ended, from the store or freshly made. */
export interface StepSummary {
  /** True when it was reused instead of run. */
  readonly cached: boolean;
  /** Seconds the work took when it was done. */
  readonly seconds: number;
  readonly metrics: Metrics;
  readonly outputs: Readonly<Record<string, InputArtifact>>;
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
  /** Seconds of internal steps that only this stage asked for, such as labelling by a teacher. */
  readonly extraSeconds: number;
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
  readonly dataset: StepSummary | null;
  readonly baseline: StepSummary | null;
  readonly measurement: StepSummary | null;
  /** Null where the run ended before it, and where the file switches it off. */
  readonly profile: StepSummary | null;
  readonly stages: readonly StageSummary[];
  /** Internal steps that stages asked for, such as labelling by a teacher. */
  readonly helpers: readonly StepSummary[];
  /** Wall-clock seconds of this run. */
  readonly seconds: number;
  /** The stage that `--until` named; absent where the whole file ran. */
  readonly until?: string;
  /** Keys of its steps in the store; absent in records of earlier versions. */
  readonly keys?: readonly string[];
}
