import type { DatasetTask } from '../data/dataset.ts';
import type { Json } from '../ground/json.ts';
import type { GateReport } from './gates/gate.ts';
import type { ClassScores } from './statistics/classes.ts';
import type { Bounds, Interval } from './statistics/intervals.ts';
import type { Spread } from './statistics/spread.ts';

/** report.json: the part other tools rely on. Rates are 0 to 1, losses and divergences in nats, sizes in bytes. */
export interface Report {
  readonly schema: 'decant.report/1';
  readonly name: string;
  /** When the run ended, ISO 8601. */
  readonly created: string;
  readonly seed: number;
  /** The exact file, the --set values on top of it, and the stage that --until named, after which the others were left out. */
  readonly pipeline: { readonly yaml: string; readonly overrides: readonly string[]; readonly until?: string };
  readonly environment: {
    readonly cpu: string;
    readonly cpuFlags: readonly string[];
    readonly threads: number;
    readonly node: string;
    readonly onnxruntime: string;
    readonly decant: string;
  };
  readonly data: {
    readonly uses: string;
    /**
     * Decides what `accuracy` is wherever it stands: the share of texts or of words with the right class, or, for features,
     * the mean cosine to the vectors of the reference.
     */
    readonly task: DatasetTask;
    readonly train: number;
    readonly unlabelled: number;
    readonly validation: number;
    readonly test: number;
    readonly classes: readonly string[];
    /** What to know of the texts before believing figures on them: classes that a split lacks, rows left out. */
    readonly remarks: readonly string[];
    /**
     * On the same test split; null when the run ended before they were computed, and for features. `linear` (of texts) reads
     * words and pairs of them, `lexicon` (of words) gives each word its most frequent class.
     */
    readonly baselines: {
      readonly majority: { readonly accuracy: number };
      readonly linear?: { readonly accuracy: number };
      readonly lexicon?: { readonly accuracy: number };
    } | null;
  };
  /** Stage that the others are compared with: the first whose model does what the data is for. */
  readonly reference: string | null;
  /** How latency was measured, where the run got so far. */
  readonly measurement: MeasurementReport | null;
  /** Wall-clock seconds of this run by what they went to. */
  readonly cost: {
    readonly training: number;
    readonly evaluation: number;
    readonly measurement: number;
    readonly other: number;
    /** What no step accounts for: starting processes, hashing, writing reports. */
    readonly overhead: number;
  };
  readonly stages: readonly StageReport[];
  /** Limits of the file, judged: see decant diff for those against another run. */
  readonly gates: readonly GateReport[];
  /** Wall-clock seconds of this run (cached parts cost what they cost now, not what they once cost). */
  readonly seconds: number;
  /** What several seeds say together; all else is of the first of them. Absent in a run of one seed. */
  readonly seeds?: SeedsReport;
  /** sha256 of all the rest, as canonical JSON: tells a report that was changed by accident. */
  readonly checksum?: string;
}

export interface SeedsReport {
  /** Seeds whose runs have a report, in the file's order. */
  readonly list: readonly number[];
  /** Wall-clock seconds of each seed's run. */
  readonly seconds: readonly number[];
  readonly stages: readonly SeedsStage[];
}

/** One stage over seeds: fields are called, and in units, as in `stages`; null where no run has the figure. */
export interface SeedsStage {
  readonly id: string;
  readonly accuracy: Spread | null;
  readonly macroF1: Spread | null;
  readonly loss: Spread | null;
  /** Accuracy minus the reference's of the same seed. */
  readonly difference: Spread | null;
  readonly agreement: { readonly top1: Spread | null; readonly kl: Spread | null };
  readonly bytes: Spread | null;
  readonly gzipBytes: Spread | null;
  /** Speed-ups are paired inside of each seed's own measurement. */
  readonly latency: readonly {
    readonly batch: number;
    readonly length: number;
    readonly p50Ms: Spread | null;
    readonly speedup: Spread | null;
  }[];
}

export interface StageReport {
  readonly id: string;
  readonly uses: string;
  /** Version of the stage's behaviour, and the options it ran with. */
  readonly version: number;
  readonly config: Readonly<Record<string, Json>>;
  /** Stage ids by input name. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly cached: boolean;
  /** Seconds the work took when it was done. */
  readonly seconds: number;
  readonly model: ModelReport | null;
  readonly quality: QualityReport | null;
  /** Against the reference on the same examples; kl is KL(reference || stage). */
  readonly agreement: { readonly top1: number; readonly kl: number } | null;
  /** Accuracy minus the reference's, as a rate, with its paired 95 % interval. */
  readonly difference: { readonly accuracy: number; readonly low: number; readonly high: number } | null;
  /** Paired with the reference, and with the model it was made from. */
  readonly comparisons: readonly Comparison[];
  readonly latency: readonly LatencyReport[];
  /** What it costs to begin: null where it was not measured. */
  readonly loading: LoadingReport | null;
  /** Kernel time of one run by operator and layer: null where it was not profiled. */
  readonly time: TimeReport | null;
  /** Whether it was profiled on a busy machine: causes that times tell, `time` and `gap` are left out then. */
  readonly undecided: boolean;
  /** Why it is not faster. */
  readonly causes: readonly CauseReport[];
  /** Why its time is not the reference's divided as its MACs are: null where it was not profiled. */
  readonly gap: GapReport | null;
  readonly training: TrainingReport | null;
  /** What transformers.js makes of the test texts: null where nobody looked. */
  readonly client: ClientReport | null;
  readonly notes: readonly string[];
}

/** The test texts as transformers.js reads them, by its own tokenizer. */
export interface ClientReport {
  /** Test texts that become other tokens there, and those of them that are only cut otherwise, of all that were compared. */
  readonly differing: number;
  readonly cut: number;
  readonly texts: number;
  /** A classifier's accuracy over all test texts on the tokens that transformers.js feeds; null where it is not known. */
  readonly accuracy: number | null;
  readonly first: {
    readonly text: string;
    readonly tokens: readonly string[];
    readonly client: readonly string[];
  } | null;
  /** Settings of tokenizer.json that it does not carry out. */
  readonly settings: readonly string[];
}

export interface ModelReport {
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly gzipBytes: number;
  readonly brotliBytes: number;
  readonly parameters: number;
  readonly nonzero: number;
  /** Multiply-accumulates of one text of `macsLength` tokens at batch 1. */
  readonly macs: number;
  readonly macsLength: number;
  readonly dimensions: Readonly<Record<string, number>>;
}

export interface LatencyReport {
  readonly batch: number;
  readonly length: number;
  readonly threads: number;
  /**
   * Whether other work had the processor in half of the turns of this model, or of the reference: then there is no speed-up,
   * and times are what the clock said.
   */
  readonly busy: boolean;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly p50Interval: Bounds;
  /** Null in reports of versions that did not compute them, as all fields of latency that were added later. */
  readonly p90Interval: Bounds | null;
  readonly p95Interval: Bounds | null;
  readonly p99Interval: Bounds | null;
  readonly runs: number;
  /** p50 of the reference over p50 of this stage, from paired rounds. */
  readonly speedup: number | null;
  readonly speedupInterval: Bounds | null;
  readonly textsPerSecond: number;
  /** p50 over the reference kernel of the same round; null where none was timed. */
  readonly relative: Interval | null;
}

/** Medians over fresh processes that load one file and run it once. */
export interface LoadingReport {
  readonly sessionMs: number;
  readonly firstRunMs: number;
  /** Of the whole process, Node and the runtime included. */
  readonly peakBytes: number;
  readonly processes: number | null;
  /** Whether other work had the processor for long meanwhile. */
  readonly busy: boolean;
}

export interface TrainingReport {
  readonly steps: number;
  readonly epochs: number;
  readonly tokensPerSecond: number;
  readonly paddingFraction: number;
  readonly curve: readonly {
    readonly step: number;
    readonly epoch: number;
    readonly loss: number;
    readonly accuracy?: number;
  }[];
}

export interface QualityReport {
  readonly accuracy: number;
  readonly accuracyInterval: Bounds;
  /** Null for features, like the others that only classes have. */
  readonly macroF1: number | null;
  readonly macroF1Interval: Bounds | null;
  readonly loss: number | null;
  readonly calibrationError: number | null;
  /** Texts, or words. */
  readonly examples: number;
  /** Where words of one text are no independent examples: how many independent ones would say as much. */
  readonly effectiveExamples?: number;
  /** Of features: rank correlation of pairwise cosines with those of the reference. */
  readonly spearman?: number;
  readonly classes: readonly (ClassScores & { readonly label: string })[];
}

export interface LoadReport {
  /** Whether it was too much for some figures. */
  readonly busy: boolean;
  /** Share of all turns that were disturbed, and share of the time in which other work had the processor. */
  readonly disturbed: number;
  readonly waited: number;
  /** Processes that wanted to run, before and after; null where the system does not count them. */
  readonly average: readonly [number, number] | null;
  /** Share of the machine's time that its host gave to others; null where the system does not tell. */
  readonly stolen: number | null;
  /** How often the measuring processes were made to leave their processor. */
  readonly switches: number;
}

export interface MeasurementReport {
  readonly rounds: number;
  readonly threads: number;
  readonly processes: number;
  /** What other work took while models were timed; null in reports of versions that did not look. */
  readonly load: LoadReport | null;
  readonly referenceKernel: { readonly name: string; readonly p50Ms: number } | null;
  /** Slowest over quickest stretch of the measurement. */
  readonly drift: { readonly ratio: number; readonly flagged: boolean } | null;
  /** Runs of one model before its first round, and the share of them that ended at a limit, not because it was stable. */
  readonly warmUp: {
    readonly medianRuns: number;
    readonly mostRuns: number;
    readonly unsettledShare: number;
  } | null;
  /** Peak memory of a process that runs a graph of one node: what is left of a model's is its own. */
  readonly runtimePeakBytes: number | null;
}

export interface Flip {
  readonly id: number;
  readonly text: string;
  readonly label: string;
  readonly was: string;
  readonly now: string;
  /** In nats: what the right model believes more of the true class than the wrong one. */
  readonly margin: number;
}

/** A stage's model against another's on the same examples. */
export interface Comparison {
  readonly versus: string;
  readonly role: 'reference' | 'previous';
  readonly accuracy: Interval;
  /** Null for features, which are neither right nor wrong; `clustered` where examples are words of texts. */
  readonly mcnemar: {
    readonly gained: number;
    readonly lost: number;
    readonly p: number;
    readonly method: 'exact' | 'mid-p' | 'clustered';
  } | null;
  readonly agreement: number | null;
  readonly kl: number | null;
  readonly classes: readonly { readonly label: string; readonly difference: Interval }[];
  readonly flips: { readonly lost: readonly Flip[]; readonly gained: readonly Flip[] };
}

interface TimeReport {
  readonly totalMs: number;
  readonly operators: readonly { readonly op: string; readonly ms: number; readonly count: number }[];
  readonly layers: readonly { readonly layer: string; readonly ms: number }[];
}

export interface CauseReport {
  readonly name: string;
  readonly about: 'time' | 'bytes';
  readonly finding: string;
  readonly evidence: string;
  readonly advice: string;
  /** Of the time or bytes it is about, 0 to 1; null where it was not measured. */
  readonly share: number | null;
}

/** Time against MACs, beside the reference. Milliseconds at batch 1, the median length, one thread, from paired rounds. */
export interface GapReport {
  readonly versus: string;
  /** MACs, and time, of the reference over this stage's. */
  readonly macRatio: number;
  readonly timeRatio: number;
  readonly ms: number;
  /** The reference's time over the MAC ratio. */
  readonly expectedMs: number;
  /** ms - expectedMs. */
  readonly gapMs: number;
  /** Each part's time, and the reference's over the MAC ratio: the differences split the gap. */
  readonly parts: readonly { readonly name: string; readonly ms: number; readonly expectedMs: number }[];
  readonly unexplainedMs: number;
  /** 1 - |unexplainedMs| / |gapMs|; null where there is no gap to explain. */
  readonly explained: number | null;
}
