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

/** Tells of one thing after another. */
export const counting =
  (tell: (progress: Progress & { readonly phase: string }) => void, unit: string, phase: string) =>
  (done: number, total: number): void =>
    tell({ done, total, unit, phase });

const MILLISECONDS_BETWEEN = 50;

/** Tells of progress now and then, and of its end: a small model answers ten thousand times a second, and nobody hears of each. */
export const seldom = (
  tell: (progress: Progress) => void,
  between = MILLISECONDS_BETWEEN,
): ((progress: Progress) => void) => {
  let last = Number.NEGATIVE_INFINITY;
  return (progress) => {
    const now = performance.now();
    if (progress.done !== progress.total && now - last < between) return;
    last = now;
    tell(progress);
  };
};
