export interface Schedule {
  readonly kind: 'linear' | 'cosine' | 'constant';
  /** Share of all steps over which the rate rises from zero. */
  readonly warmup: number;
}

/**
 * Share of the full learning rate at a step (0-based) of `total`: rises linearly over the warm-up, then falls to zero
 * linearly or along half a cosine (Loshchilov and Hutter 2017, arXiv 1608.03983), or stays.
 */
export const rateAt = ({ kind, warmup }: Schedule, step: number, total: number): number => {
  const rising = Math.round(warmup * total);
  if (step < rising) return (step + 1) / (rising + 1);
  const progress = Math.min(1, (step - rising) / Math.max(1, total - rising));
  switch (kind) {
    case 'constant':
      return 1;
    case 'linear':
      return 1 - progress;
    case 'cosine':
      return (1 + Math.cos(Math.PI * progress)) / 2;
  }
};
