import type { Progress } from '../ground/progress.ts';
import type { Place } from '../stages/place.ts';

/** A step as views and the event log know it. */
export interface StepInfo {
  readonly id: string;
  readonly uses: string;
  readonly place: Place;
}

/** What a model makes of the test split: the metric of its task with the 95 % interval, and how many answers that is of. */
export interface StepFigures {
  readonly metric: string;
  readonly score: number;
  readonly low: number;
  readonly high: number;
  readonly answers: number;
}

/** What happens during a run. Views are functions of these, and events.jsonl is their log. */
export type RunEvent =
  | {
      readonly type: 'run-started';
      readonly name: string;
      readonly steps: readonly StepInfo[];
      /** The variant that runs, where the file has several; and all that run. */
      readonly variant?: string;
      readonly variants?: readonly string[];
      readonly seed: number;
      /** Every seed of the command; each has a `run-started` of its own. */
      readonly seeds?: readonly number[];
      readonly threads: number;
      readonly process: number;
    }
  /** What steps that have not ended should take: told before the first that runs, and again once the data was read. */
  | {
      readonly type: 'expected';
      /** By step; what is left out is not known, and what turns out to be stored takes nothing. */
      readonly seconds: Readonly<Record<string, number>>;
      /** Of the variants and seeds that come after this one. */
      readonly later: number;
    }
  | {
      readonly type: 'cached';
      readonly step: string;
      readonly seconds: number;
      readonly key: string;
      readonly figures?: StepFigures;
    }
  /** Stored files whose bytes changed: they were dropped and the step runs again. */
  | { readonly type: 'damaged'; readonly step: string; readonly files: readonly string[] }
  /** Another run works on the same step; its result will be reused. */
  | { readonly type: 'waiting'; readonly step: string }
  | { readonly type: 'started'; readonly step: string; readonly key: string; readonly why: readonly string[] }
  | { readonly type: 'progress'; readonly step: string; readonly progress: Progress }
  | { readonly type: 'log'; readonly step: string; readonly message: string }
  | { readonly type: 'finished'; readonly step: string; readonly seconds: number; readonly figures?: StepFigures }
  | { readonly type: 'failed'; readonly step: string; readonly message: string; readonly log: string | null }
  | { readonly type: 'interrupting' }
  | { readonly type: 'interrupted'; readonly step: string }
  | {
      readonly type: 'run-finished';
      /** False when a stage failed and those after it were not run. */
      readonly complete: boolean;
      readonly seconds: number;
      readonly ran: number;
      readonly reused: number;
    };

export type Emit = (event: RunEvent) => void;
