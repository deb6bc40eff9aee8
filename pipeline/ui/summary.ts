import { messageOf } from '../../ground/errors.ts';
import { readText } from '../../ground/whole-file.ts';
import { askedBesides } from '../../reports/asked.ts';
import { scoreText } from '../../reports/columns.ts';
import { bytes } from '../../reports/figures.ts';
import { metricOf, type Primary } from '../../reports/metric.ts';
import { damageOf } from '../../reports/records.ts';
import type { Report, StageReport } from '../../reports/report.ts';
import { parseReport } from '../../reports/schema/index.ts';
import { p50Text, undisturbed } from '../../reports/speed.ts';
import { oneLine } from '../../reports/text.ts';
import { headlineOf, isCompleteIn } from '../clean/runs.ts';
import { duration } from '../view/text.ts';
import type { RunPlace } from './places.ts';
import type { RunPoint, RunRow } from './shapes.ts';

/** What the list says of a run besides where it lies. */
export type Summary = Omit<RunRow, 'id' | 'run'>;

/** Of a run that left no report, and of one whose report was not read yet. */
export const nothingYet: Summary = {
  ...{ state: 'reading', ended: '', took: '', result: '', asked: '', problem: null, metric: '', points: [] },
};

const MINUTE = 16;

/** To the minute, with a space for people. */
const minute = (created: string): string => oneLine(created.slice(0, MINUTE).replace('T', ' '));

const pointOf = (stage: StageReport, metric: Primary, isHeadline: boolean): readonly RunPoint[] => {
  const { id, quality, model, latency } = stage;
  if (quality === null || model === null || !Number.isFinite(quality.score)) return [];
  const [first] = latency;
  const { low, high } = quality.scoreInterval;
  const interval = Number.isFinite(low) ? { low: metric.factor * low, high: metric.factor * high } : null;
  return [
    {
      ...{ stage: oneLine(id), quality: metric.factor * quality.score, qualityText: scoreText(stage, metric) },
      ...{ bytes: model.bytes, bytesText: bytes(model.bytes), headline: isHeadline, interval },
      ...{ p50: undisturbed(first, ({ p50Ms }) => p50Ms), p50Text: p50Text(first) },
    },
  ];
};

const figuresOf = (report: Report): Pick<Summary, 'metric' | 'points' | 'result'> => {
  const [metric, best] = [metricOf(report), headlineOf(report)];
  const result = best === null ? '' : `${oneLine(best.stage)} ${best.text}`;
  const points = report.stages.flatMap((stage) => pointOf(stage, metric, stage.id === best?.stage));
  return { metric: metric.title, points, result };
};

/** What a report says in one row. One that cannot be read says why. */
export const summaryOf = async ({ folder, report }: RunPlace): Promise<Summary> => {
  if (report === null) return nothingYet;
  try {
    const read = parseReport(await readText(report.file), report.file);
    const state = (await isCompleteIn(folder)) ? 'complete' : 'failed';
    const asked = oneLine(askedBesides(read) ?? '');
    return {
      ...figuresOf(read),
      state,
      asked,
      ended: minute(read.created),
      took: duration(read.seconds),
      problem: null,
    };
  } catch (error) {
    return { ...nothingYet, state: 'unreadable', problem: oneLine(damageOf(error) ?? messageOf(error)) };
  }
};
