import type { Judged, JudgedClasses, JudgedVectors } from './judged.ts';
import type { QualityReport, StageReport } from './report.ts';
import { calibrationError } from './statistics/calibration.ts';
import { classReport } from './statistics/classes.ts';
import { effectiveExamples } from './statistics/grouped.ts';
import { wilson } from './statistics/intervals.ts';
import { agreement, divergence, rateInterval } from './statistics/pairs.ts';
import { accuracy, crossEntropy } from './statistics/quality.ts';
import { correctness } from './statistics/scored.ts';
import { meanEffect } from './statistics/vectors.ts';

const classesQuality = ({ scored }: JudgedClasses, labels: readonly string[]): QualityReport => {
  const { macroF1, macroF1Interval, classes } = classReport(scored);
  const right = correctness(scored);
  const n = effectiveExamples(right, scored.groups);
  const rate = accuracy(scored);
  return {
    accuracy: rate,
    accuracyInterval: wilson(rate * n, n),
    macroF1,
    macroF1Interval,
    loss: crossEntropy(scored),
    calibrationError: calibrationError(scored),
    examples: right.length,
    ...(scored.groups === undefined ? {} : { effectiveExamples: n }),
    classes: classes.map((one, c) => ({ label: labels[c] ?? `${c}`, ...one })),
  };
};

const vectorsQuality = ({ cosines, spearman, ids }: JudgedVectors): QualityReport => {
  const { estimate, low, high } = rateInterval(meanEffect(cosines));
  return {
    ...{ accuracy: estimate, accuracyInterval: { low, high }, examples: ids.length, classes: [] },
    ...(spearman === undefined ? {} : { spearman }),
    ...{ macroF1: null, macroF1Interval: null, loss: null, calibrationError: null },
  };
};

/** Every figure of what a model made of the test split. */
export const qualityReport = (judged: Judged, labels: readonly string[]): QualityReport =>
  judged.kind === 'classes' ? classesQuality(judged, labels) : vectorsQuality(judged);

/** How often, and how nearly, a model says what the reference says; null for vectors, whose quality is just that. */
export const agreementReport = (model: Judged | null, reference: Judged | null): StageReport['agreement'] =>
  model?.kind === 'classes' && reference?.kind === 'classes'
    ? {
        top1: agreement(reference.scored, model.scored),
        kl: divergence(reference.scored, model.scored),
      }
    : null;
