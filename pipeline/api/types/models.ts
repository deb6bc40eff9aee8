import type { Strategies } from '../../../engine/generation/strategies/index.ts';
import type { Progress } from '../../../ground/progress.ts';
import type { DatasetTask, TaskName } from '../../../ground/tasks.ts';
import type { Inspection } from '../../../models/inspection.ts';
import type { Precision } from '../../../models/precision.ts';
import type { Comparison, MeasurementReport, QualityReport, StageReport } from '../../../reports/report.ts';
import type { RunEvent } from '../../events.ts';
import type { Dtype } from '../dtype.ts';
import type { Job } from '../job-type.ts';
import type { Answer, Given } from './answers.ts';

/** Which of a folder's files is meant. */
export interface FileOptions {
  /** fp32 or q8; where nobody says, q8 if it is there. */
  readonly dtype?: Precision;
}

export interface LoadOptions extends FileOptions {
  /** Threads of one operator; as many as the machine has processors where nobody says. */
  readonly threads?: number;
}

/** What is asked of a model in memory. */
export interface AskOptions {
  /** Tokens told of each mask; 5 at least. */
  readonly top?: number;
  readonly signal?: AbortSignal;
}

export interface PredictOptions extends LoadOptions, AskOptions {}

/** What a model says of some texts. */
export interface Predictions {
  /** One a text, in their order. */
  readonly answers: readonly Answer[];
  /** What nobody would notice in the answers: texts that were cut, and tokens that the model does not know. */
  readonly notes: readonly string[];
}

/** A model in memory, ready for texts. `release` gives the memory back; one that is collected keeps it. */
export interface LoadedModel {
  readonly task: TaskName;
  /** Its classes, in the order of their numbers. */
  readonly labels: readonly string[];
  /** Tokens of the longest text that it reads; longer ones are cut. */
  readonly maxLength: number;
  predict(texts: readonly (string | Given)[], options?: AskOptions): Job<Progress, Predictions>;
  release(): Promise<void>;
}

/** How a text is written on. Without any of the strategies the most probable token comes next. */
export interface GenerateOptions extends LoadOptions, Strategies {
  /** New tokens at most; 128 where nobody says. */
  readonly tokens?: number;
  /** Texts at which writing ends; they are left out. */
  readonly stop?: readonly string[];
  /** Decides what is drawn; 0 where nobody says. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

/** What is new of a text. */
export interface WrittenPiece {
  readonly text: string;
  /** It is a part of an answer to the prompt; left out where it goes on behind it. */
  readonly answers?: true;
}

/** How many tokens went through a model, and how fast. */
export interface TokensTimed {
  readonly tokens: number;
  readonly seconds: number;
  readonly tokensPerSecond: number;
}

export interface Generated {
  readonly prompt: string;
  /** What was written behind it, or as an answer to it. */
  readonly text: string;
  /** The text is an answer of its own; left out where it goes on behind the prompt. */
  readonly answers?: true;
  /** Why writing ended: the model ended the text, a stop was met, or there were tokens enough. */
  readonly reason: 'end' | 'stop' | 'tokens';
  /** Reading the prompt, up to the first new token. */
  readonly read: TokensTimed;
  /** The tokens behind the first. */
  readonly written: TokensTimed;
}

export interface TableOptions extends FileOptions {
  /** CSV, TSV, JSON Lines or Parquet. */
  readonly data: string;
  /** A table of the kind that its name says: .csv, .tsv or .jsonl. */
  readonly out: string;
  /** Column of the texts; recognised where nobody says. */
  readonly text?: string;
  /** Column of the second texts, where they come in pairs. */
  readonly pair?: string;
  /** Whether the first row has the names of the columns; without it, the rows decide. */
  readonly header?: boolean;
  /** Replaces the table that is written if it exists. */
  readonly overwrite?: boolean;
  /** Threads of one operator; as many as the machine has processors where nobody says. */
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

export interface PredictedTable {
  readonly rows: number;
  /** Rows without a text, and the first of them. */
  readonly unanswered: number;
  readonly first?: string;
}

/** A file of texts that models are judged by, and which columns hold what: recognised where nobody says. */
export interface DataOptions {
  readonly data: string;
  readonly text?: string;
  readonly pair?: string;
  readonly label?: string;
  /** Whether the first row has the names of the columns; without it, the rows decide. */
  readonly header?: boolean;
  /** Rows without a text or a label: refused, or left out. */
  readonly missing?: 'refuse' | 'drop';
  /** Texts are cut to so many tokens; the model's own limit where nobody says. */
  readonly maxLength?: number;
}

export interface EvaluateOptions extends DataOptions, FileOptions {
  /** Threads of one operator; as many as the machine has processors where nobody says. */
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

/** How far one of the models is. */
export interface ModelProgress {
  /** As it was named. */
  readonly model: string;
  readonly progress: Progress;
}

/** What one model made of the texts. */
export interface EvaluatedModel {
  /** As it was named. */
  readonly model: string;
  readonly quality: QualityReport;
  /** Against the first model, on the same texts; null for that one, and where answers are not about the same. */
  readonly comparison: Comparison | null;
  readonly notes: readonly string[];
}

/** Several models on one file of texts. */
export interface Evaluation {
  readonly task: DatasetTask;
  /** Name of the primary metric. */
  readonly metric: string;
  readonly data: { readonly file: string; readonly texts: number; readonly dropped: number };
  readonly models: readonly EvaluatedModel[];
}

export interface BenchmarkOptions extends FileOptions {
  /** Texts at once, and tokens of each text: every pair is measured. [1] and [32] where nobody says. */
  readonly batches?: readonly number[];
  readonly lengths?: readonly number[];
  /** Threads of one operator; 1 where nobody says. */
  readonly threads?: number;
  /** What it runs on: some of `engines()`; the CPU where nobody says. */
  readonly engines?: readonly string[];
  /** Rounds in which every model has its turn; 24 where nobody says. */
  readonly rounds?: number;
  /** Fresh processes that share the rounds; 8 where nobody says. */
  readonly processes?: number;
  /** Fresh processes a model for load time and memory; 3 where nobody says. */
  readonly loads?: number;
  readonly signal?: AbortSignal;
}

/** What a model computed for a batch, other work left out: all that a busy machine tells. */
export interface ComputeReport {
  readonly batch: number;
  readonly length: number;
  readonly cpuMs: number;
  /** Computing time of the first model over this one's, in the middle of the rounds. */
  readonly cpuSpeedup: number;
}

/** What one model takes: ratios are to the first. */
export interface BenchmarkedModel extends Pick<StageReport, 'latency' | 'loading' | 'lacking' | 'otherEngines'> {
  /** As it was named. */
  readonly model: string;
  /** Of the graph with its weights, as it was timed. */
  readonly bytes: number;
  /** Of the first engine, by batch and length. */
  readonly compute: readonly ComputeReport[];
}

export interface Benchmark {
  readonly measurement: MeasurementReport;
  readonly models: readonly BenchmarkedModel[];
}

export interface InspectOptions {
  /** Tokens of the text that work is counted for; 128 where nobody says. */
  readonly length?: number;
  /** File of an exported folder, as transformers.js calls it; q8 where there is one. */
  readonly dtype?: Dtype;
}

/** What a model is made of, and which file of a folder that is. */
export interface InspectedModel extends Inspection {
  /** What is wrong with its operators: neither decant nor ONNX Runtime knows one, so that nothing can run the model. */
  readonly unregistered?: string;
  readonly task?: TaskName;
  readonly file?: string;
  /** Precisions of the folder's other files. */
  readonly others?: readonly Dtype[];
}

/** What is told while a model is downloaded. */
export type ReadingEvent = Extract<RunEvent, { readonly type: 'progress' | 'log' }>;

export interface ExportOptions {
  /** Writes an INT8 file beside the float one, with the defaults of the quantize stage. */
  readonly quantize?: boolean;
  /** Threads of one operator; as many as the machine has processors where nobody says. */
  readonly threads?: number;
  /** Downloads nothing. DECANT_OFFLINE=1 says the same. */
  readonly offline?: boolean;
  readonly signal?: AbortSignal;
}

/** A folder that was written. */
export interface Exported {
  readonly folder: string;
  readonly to: 'transformers-js';
  readonly task: TaskName;
  readonly modelType: string;
  readonly labels: readonly string[];
  /** Settings of the tokenizer that transformers.js does not carry out. */
  readonly unsupported: readonly string[];
  readonly files: readonly { readonly precision: string; readonly file: string; readonly bytes: number }[];
}
