import { macroF1 } from '../ground/metrics/index.ts';
import { metricOf, type Written } from './metric.ts';
import type { QualityReport, Report } from './report.ts';

type ClassScores = QualityReport['classes'][number];

/** A mean over classes, as a further row of their report. */
export type Average = Pick<ClassScores, 'label' | 'support' | 'precision' | 'recall' | 'f1'>;

/** Below this share of what the smallest class would have if all were of one size, a mean over examples hides it. */
const LEAST_SHARE = 1 / 3;

/** Whether the smallest class is so small that the score says little of it. */
export const isUneven = (classes: readonly Pick<ClassScores, 'support'>[]): boolean => {
  if (classes.length < 2) return false;
  const all = classes.reduce((sum, { support }) => sum + support, 0);
  const least = Math.min(...classes.map(({ support }) => support));
  return all > 0 && least < (LEAST_SHARE * all) / classes.length;
};

/** What is told beside the score where classes are uneven; undefined where they are not, or the score is just that. */
export const besideScore = (report: Pick<Report, 'data'>, quality: QualityReport | null): Written | undefined => {
  const { metric, more } = metricOf(report);
  if (quality === null || metric.name === macroF1.name || !isUneven(quality.classes)) return undefined;
  return more.find((one) => one.metric.name === macroF1.name && quality.more[macroF1.name] !== undefined);
};

/** Means over the classes that occur: each once, and each as often as it occurs. */
export const averagesOf = (classes: readonly ClassScores[]): readonly Average[] => {
  const present = classes.filter(({ support, precision }) => support > 0 || precision > 0);
  const support = present.reduce((sum, one) => sum + one.support, 0);
  if (present.length === 0 || support === 0) return [];
  const mean = (figure: (one: ClassScores) => number, weight: (one: ClassScores) => number): number => {
    const sum = present.reduce((all, one) => all + weight(one) * figure(one), 0);
    return sum / present.reduce((all, one) => all + weight(one), 0);
  };
  const row = (label: string, weight: (one: ClassScores) => number): Average => ({
    ...{ label, support, f1: mean(({ f1 }) => f1, weight) },
    ...{ precision: mean(({ precision }) => precision, weight), recall: mean(({ recall }) => recall, weight) },
  });
  return [row('mean of classes', () => 1), row('weighted by size', (one) => one.support)];
};
