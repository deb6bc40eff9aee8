/** What the server of `decant ui` tells its page. Figures are texts as the report writes them; numbers are for pictures. */

/** `reading` until the report was read; `interrupted` and `stopped` (killed) where a run left no report. */
export type RunState = 'running' | 'complete' | 'failed' | 'unreadable' | 'reading' | 'interrupted' | 'stopped';

/** A model of a run, as a picture over all runs shows it. */
export interface RunPoint {
  readonly stage: string;
  readonly quality: number;
  /** Its 95 % interval; null where the report has none. */
  readonly interval: { readonly low: number; readonly high: number } | null;
  /** With its 95 % interval. */
  readonly qualityText: string;
  readonly bytes: number;
  readonly bytesText: string;
  /** Milliseconds at the first batch; null where it was not measured, or on a busy machine. */
  readonly p50: number | null;
  readonly p50Text: string;
  /** The one that a reader came for. */
  readonly headline: boolean;
}

/** One report of a run, or a run that has none yet. */
export interface RunRow {
  readonly id: string;
  /** As report and diff take it, below the folder of runs. */
  readonly run: string;
  readonly state: RunState;
  /** When it ended, to the minute (UTC); empty where it did not. */
  readonly ended: string;
  readonly took: string;
  /** The headline's stage and figure. */
  readonly result: string;
  /** What was asked for besides the file. */
  readonly asked: string;
  readonly problem: string | null;
  /** Title of the metric of all points. */
  readonly metric: string;
  readonly points: readonly RunPoint[];
}

export interface RunRows {
  readonly folder: string;
  readonly runs: readonly RunRow[];
}

/** A table whose first column names its rows. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly { readonly strong: boolean; readonly cells: readonly string[] }[];
}

/** Updates done, mean loss and score on validation texts; null where a point has none. */
export interface CurvePoint {
  readonly stage: string;
  readonly step: number;
  readonly loss: number | null;
  readonly score: number | null;
}

/** A model that can be asked. */
export interface ModelChoice {
  readonly id: string;
  readonly title: string;
}

export interface RunDetails {
  readonly id: string;
  readonly run: string;
  readonly verdict: string;
  readonly problem: string | null;
  readonly stages: Table | null;
  readonly notes: readonly string[];
  readonly curves: readonly CurvePoint[];
  /** Titles of what scores are, by stage. */
  readonly scores: Readonly<Record<string, string>>;
  readonly models: readonly ModelChoice[];
  readonly hasReport: boolean;
}

/** A stage of a run, with the steps that are done for it. */
export interface LiveRow {
  readonly title: string;
  readonly state: 'waiting' | 'running' | 'done' | 'reused' | 'failed';
  readonly note: string;
}

/** How far a run is. */
export interface LiveRun {
  /** Another one is another run: what was drawn of the one before is its own. */
  readonly key: string;
  readonly title: string;
  /** `stopped` where it ended without a word. */
  readonly end: 'complete' | 'failed' | 'interrupted' | 'stopped' | null;
  readonly rows: readonly LiveRow[];
  /** What happens now, in one line. */
  readonly now: string;
  /** How long all of it will still take, as the terminal says it; empty where nothing is known. */
  readonly left: string;
  /** From 0 to 1: of the step that runs; null where that is not known. */
  readonly share: number | null;
  readonly scores: Readonly<Record<string, string>>;
}

/** What a stream of a run tells at once: its state, and points of its curves that were not told before. */
export interface LiveNews {
  readonly live: LiveRun;
  readonly points: readonly CurvePoint[];
}

/** Two runs compared: the figures and facts of `decant diff`. */
export interface Comparison {
  readonly verdict: string;
  readonly sides: readonly [string, string];
  readonly rows: readonly {
    readonly stage: string;
    readonly figure: string;
    readonly before: string;
    readonly after: string;
    readonly change: string;
    readonly verdict: string;
    readonly clear: boolean;
  }[];
  readonly note: string;
  readonly facts: readonly { readonly title: string; readonly items: readonly string[] }[];
}

export interface Question {
  /** One of the run's `models`. */
  readonly model: string;
  readonly text: string;
  /** The second text of a pair; empty where there is none. */
  readonly pair: string;
}

/** What `decant predict` said. */
export interface Answered {
  readonly answer: string;
  readonly notes: string;
}
