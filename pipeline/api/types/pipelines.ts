import type { Comparison } from '../../../reports/comparison/comparison.ts';
import type { Report } from '../../../reports/report.ts';

/** What decides what is run of a pipeline file, and where. */
export interface PlanOptions {
  /** Values in place of those of the file: `stages.teacher.epochs=3`. */
  readonly set?: readonly string[];
  /** Folder of cached results; `.decant/store` beside the file where nobody says. */
  readonly store?: string;
  /** Folder of the run; `runs/NAME` beside the file where nobody says. */
  readonly out?: string;
  /** Threads of one operator; as many as the machine has processors where nobody says. */
  readonly threads?: number;
  /** What graphs run on, in place of the engine that the file names: one of `engines()`, or `auto`. */
  readonly engine?: string;
  /** Variants of the file that are meant; all where nobody says. */
  readonly variants?: readonly string[];
  /** Leaves out the stages after this one. */
  readonly until?: string;
  /** Stages, or steps of theirs, that run again although they are cached. */
  readonly force?: readonly string[];
  /** Measures latency again although it is cached. */
  readonly remeasure?: boolean;
}

export interface ForecastOptions extends PlanOptions {
  /** Whether steps of which nothing is known are tried on this machine; yes where nobody says no. */
  readonly estimate?: boolean;
  /** Megabytes that a step may take; 95 % of what is free, or half of all if that is more, where nobody says. */
  readonly memory?: number;
  readonly signal?: AbortSignal;
}

export interface RunOptions extends PlanOptions {
  /** Downloads nothing: models of the hub must be in the store. DECANT_OFFLINE=1 says the same. */
  readonly offline?: boolean;
  /** Megabytes that a step may take; 95 % of what is free, or half of all if that is more, where nobody says. */
  readonly memory?: number;
  /** Saves and stops: the same call goes on from there. */
  readonly signal?: AbortSignal;
  /** Stops at once: what was saved last is kept. */
  readonly kill?: AbortSignal;
}

/** A run that came to its end. */
export interface Run {
  /** Where the file has variants, that of the first. */
  readonly report: Report;
  /** Folder of report.json, models and exported folders; of variants the folder above theirs. */
  readonly out: string;
  /** Those that ran, each with a folder of its own; absent where the file has none. */
  readonly variants?: readonly RunVariant[];
  /** The variants side by side; absent where there are fewer than two to compare. */
  readonly comparison?: Comparison;
}

/** A variant that came to its end. */
export interface RunVariant {
  readonly id: string;
  readonly report: Report;
  readonly out: string;
}

/** What a run would do with one step. */
export interface Forecast {
  readonly step: string;
  readonly uses: string;
  readonly state: 'cached' | 'run' | 'depends';
  /** Why it runs: what differs from the nearest earlier run of it. */
  readonly why: readonly string[];
  /** Seconds it took (cached) or should take; null where nothing is known. */
  readonly seconds: number | null;
  /** Most bytes that its process held or should hold; null where nothing is known. */
  readonly memory: number | null;
  /** Bytes that its results take, or should take, in the store and in the folder of the run; null where nothing is known. */
  readonly disk: number | null;
  /** Where each of these comes from: earlier runs, or a trial of untrained models on this machine. */
  readonly sources: Readonly<Record<'seconds' | 'memory' | 'disk', ForecastSource | null>>;
}

export type ForecastSource = 'history' | 'estimate';

/** What one of several variants and seeds would do. */
export interface SeedForecast extends Forecast {
  /** Absent where the file has no variants. */
  readonly variant?: string;
  readonly seed: number;
}

/** What a run would do. */
export interface RunForecast {
  readonly name: string;
  /** Those that would run; absent where the file has none. */
  readonly variants?: readonly string[];
  readonly seeds: readonly number[];
  /** In the order in which they would run, one variant and seed after the other; what several share is told once. */
  readonly steps: readonly SeedForecast[];
  /** Of all steps that would run, as far as these are known. */
  readonly totals: ForecastTotals;
  /** Steps that need more memory than there is, and what helps. */
  readonly warnings: readonly string[];
}

/** What all that would run comes to. */
export interface ForecastTotals {
  readonly seconds: number;
  /** Steps that would run and of which nobody knows how long. */
  readonly untimed: number;
  /** The step that needs most, and its bytes; null where no step is known. */
  readonly memory: { readonly step: string; readonly bytes: number } | null;
  /** Bytes that are added to the store and the folder of the run. */
  readonly disk: number;
  /** Bytes of saved states on the way, at most: they are gone at the end. */
  readonly saved: number;
  /** Bytes that a step may take. */
  readonly room: number;
}

/** What a pipeline file comes to. */
export interface Validation {
  readonly schema: 'decant.validation/1';
  readonly file: string;
  readonly name: string;
  /** Absent where the file has none. */
  readonly variants?: readonly string[];
  readonly seeds: readonly number[];
  /** What is odd about the data, and no error. */
  readonly remarks: readonly string[];
  readonly stages: readonly { readonly id: string; readonly uses: string }[];
  readonly steps: readonly string[];
}

/** A pipeline file that was written. */
export interface Initialized {
  readonly file: string;
  /** What was read, what was left out, and what to do next: lines for people. */
  readonly summary: string;
}

export type ReportFormat = 'text' | 'md' | 'html' | 'json' | 'csv';

export type DiffFormat = Exclude<ReportFormat, 'csv'>;

/** Of texts for a terminal. */
export interface TextOptions {
  /** Characters of a line; 120 where nobody says. */
  readonly columns?: number;
  readonly color?: boolean;
}

export interface DiffOptions {
  /** File of limits in YAML; the gates of the second run's pipeline where nobody says. */
  readonly gates?: string;
  /** Differences of latency up to this share do not matter; 0.05 where nobody says. */
  readonly latencyBand?: number;
  /** Differences of quality up to this do not matter, as a rate; 0 where nobody says. */
  readonly qualityBand?: number;
}

/** What recipes are compared by, and with what. */
export interface CompareOptions {
  /** A metric of the task, or `p50`; the primary metric of the task where nobody says. */
  readonly by?: string;
  /** The texts that decide: recipes are chosen on `validation`, and told of on `test`, which is meant where nobody says. */
  readonly on?: 'test' | 'validation';
  /** The stage whose models are compared; the one that ships where nobody says. */
  readonly stage?: string;
  /** The recipe that the others are compared with, by id or path; the first where nobody says. */
  readonly baseline?: string;
  /** Compares each with each instead. */
  readonly pairs?: boolean;
}

export interface CleanOptions {
  /** Frees nothing, says what would be freed. */
  readonly dryRun?: boolean;
  /** Keeps so many of the newest reports of each run, and what they need; all where nobody says. */
  readonly keepRuns?: number;
  /** Frees what only runs of so many milliseconds ago need. */
  readonly olderThanMs?: number;
  /** Folder of cached results; `.decant/store` where nobody says. */
  readonly store?: string;
  /** Folder of runs, besides those that the store knows of; `runs` where nobody says. */
  readonly runs?: string;
  readonly signal?: AbortSignal;
}

export interface UiOptions {
  /** Port of this machine; any that is free where nobody says. */
  readonly port?: number;
}

/** A page of all runs that is served to this machine until `close`. */
export interface Ui {
  /** With a token that is drawn at each start: whoever has it sees the page. */
  readonly address: string;
  close(): Promise<void>;
}

/** Files that a schema describes. */
export type SchemaSubject = 'pipeline' | 'report' | 'comparison';

/** What is known of one engine. Where something is missing nothing was tried. */
export interface EngineReport {
  readonly engine: string;
  readonly summary: string;
  readonly device: EngineDevice | null;
  /** What is missing, or what came of trying it. */
  readonly problem: string | null;
  readonly install: string | null;
  /** Largest difference of a trained model's answers from the CPU's, relative to the largest; null where none was tried. */
  readonly difference: number | null;
  readonly works: boolean;
}

/** A device as its driver calls it. */
export interface EngineDevice {
  readonly name: string;
  /** Bytes, where the driver tells. */
  readonly memory?: number;
  readonly driver?: string;
}

/** What cleaning frees: left by processes that are gone, older reports, results and saved states that no kept run needs. */
export type FreedKind = 'leftovers' | 'reports' | 'results' | 'checkpoints';

export interface Freed {
  readonly files: number;
  readonly bytes: number;
}

/** What cleaning frees, or would free. */
export interface Cleaned {
  readonly schema: 'decant.clean/1';
  readonly store: string;
  readonly dryRun: boolean;
  readonly bytes: number;
  readonly kinds: Readonly<Record<FreedKind, Freed>>;
  /** States that interrupted steps go on from, and runs that have not ended well: they stay. */
  readonly kept: { readonly checkpoints: Freed; readonly unfinished: readonly string[] };
}
