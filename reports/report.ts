/** report.json: the part other tools rely on. Rates are 0 to 1, losses and divergences in nats, sizes in bytes. */
export interface Report {
  readonly schema: 'decant.report/1';
  readonly name: string;
  readonly seed: number;
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
    readonly train: number;
    readonly unlabelled: number;
    readonly validation: number;
    readonly test: number;
    readonly classes: readonly string[];
    /** On the same test split; null when the run ended before they were computed. */
    readonly baselines: {
      readonly majority: { readonly accuracy: number };
      readonly linear: { readonly accuracy: number };
    } | null;
  };
  /** Stage that the others are compared with: the first whose model classifies. */
  readonly reference: string | null;
  readonly stages: readonly StageReport[];
  /** Wall-clock seconds of this run (cached parts cost what they cost now, not what they once cost). */
  readonly seconds: number;
}

export interface StageReport {
  readonly id: string;
  readonly uses: string;
  /** Stage ids by input name. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly cached: boolean;
  /** Seconds the work took when it was done. */
  readonly seconds: number;
  readonly model: ModelReport | null;
  readonly quality: {
    readonly accuracy: number;
    readonly macroF1: number;
    readonly loss: number;
    readonly examples: number;
  } | null;
  /** Against the reference on the same examples; kl is KL(reference || stage). */
  readonly agreement: { readonly top1: number; readonly kl: number } | null;
  /** Accuracy minus the reference's, as a rate, with its paired 95 % interval. */
  readonly difference: { readonly accuracy: number; readonly low: number; readonly high: number } | null;
  readonly latency: readonly LatencyReport[];
  readonly training: TrainingReport | null;
  readonly notes: readonly string[];
}

export interface ModelReport {
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly gzipBytes: number;
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
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly runs: number;
  /** p50 of the reference over p50 of this stage, from paired rounds. */
  readonly speedup: number | null;
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
