export interface Progress {
  /** Units of work done and in all (steps, texts, models, bytes); `total` 0 where it is not known. */
  readonly done: number;
  readonly total: number;
  readonly unit: string;
  /** One short phrase for people: "epoch 2/4". */
  readonly phase?: string;
  readonly loss?: number;
  readonly tokensPerSecond?: number;
  /** The score on validation texts when they were last asked, by the name of its metric. */
  readonly validation?: { readonly metric: string; readonly score: number };
}
