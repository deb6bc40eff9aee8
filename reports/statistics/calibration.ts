import { logProbabilities, predictions, type Scored } from './scored.ts';

const BINS = 15;

/**
 * Expected calibration error (Naeini et al. 2015; Guo et al. 2017, arXiv 1706.04599): examples are binned by the
 * probability of the predicted class, in 15 bins of equal width, and the gaps between a bin's accuracy and its mean
 * probability are averaged, each weighing as much as it holds examples. 0 to 1.
 */
export const calibrationError = (scored: Scored): number => {
  const predicted = predictions(scored);
  const right = new Float64Array(BINS);
  const claimed = new Float64Array(BINS);
  predicted.forEach((c, example) => {
    // Where there is no answer every class is as probable.
    const confidence = Math.exp(logProbabilities(scored, example)[Math.max(0, c)] ?? 0);
    // Bins are open below and closed above, as in the papers.
    const bin = Math.min(BINS - 1, Math.max(0, Math.ceil(confidence * BINS) - 1));
    right[bin] = (right[bin] ?? 0) + Number(c === scored.labels[example]);
    claimed[bin] = (claimed[bin] ?? 0) + confidence;
  });
  const gaps = right.reduce((sum, hits, bin) => sum + Math.abs(hits - (claimed[bin] ?? 0)), 0);
  return gaps / predicted.length;
};
