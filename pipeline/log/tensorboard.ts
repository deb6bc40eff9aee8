import { appendFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { metricOf } from '../../reports/metric.ts';
import type { Report, StageReport } from '../../reports/report.ts';
import type { RunEvent } from '../events.ts';
import { type Scalar, scalarRecord, versionRecord } from './tfevents.ts';

/** What a run writes for TensorBoard while it goes on, and when its report is made. */
export interface Board {
  event(event: RunEvent): void;
  finished(report: Report): void;
}

type Point = Omit<Scalar, 'at'>;

const FILE = /^events\.out\.tfevents\.\d+\.decant$/;

const ofProgress = ({ step, progress }: Extract<RunEvent, { readonly type: 'progress' }>): readonly Point[] => {
  const { done, loss, tokensPerSecond } = progress;
  return [
    ...(loss === undefined ? [] : [{ tag: `${step}/loss`, step: done, value: loss }]),
    ...(tokensPerSecond === undefined
      ? []
      : [{ tag: `${step}/tokens_per_second`, step: done, value: tokensPerSecond }]),
  ];
};

/** Scores on validation texts of a training, and its losses where it was reused. */
const ofTraining = ({ id, cached, training }: StageReport): readonly Point[] => {
  if (training === null) return [];
  const { metric = 'of_its_metric', curve } = training;
  return curve.flatMap(({ step, loss, terms = {}, score }) => [
    ...(cached && loss !== null ? [{ tag: `${id}/loss`, step, value: loss }] : []),
    ...Object.entries(terms).map(([name, value]) => ({ tag: `${id}/loss/${name}`, step, value })),
    ...(score === undefined ? [] : [{ tag: `${id}/validation_${metric}`, step, value: score }]),
  ]);
};

/** What every stage came to, one after the other: the number of the stage is the step. */
const ofStages = (report: Report): readonly Point[] => {
  const { metric } = metricOf(report);
  return report.stages.flatMap(({ quality, model, latency: [first] }, step) => [
    ...(quality === null ? [] : [{ tag: `stages/${metric.name}`, step, value: quality.score }]),
    ...(model === null ? [] : [{ tag: 'stages/bytes', step, value: model.bytes }]),
    ...(first === undefined ? [] : [{ tag: 'stages/p50_ms', step, value: first.p50Ms }]),
  ]);
};

/** Begins a file in a folder of its own, in place of those of earlier runs: what is reused is written again. */
export const tensorBoard = (folder: string): Board => {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder).filter((one) => FILE.test(one))) rmSync(join(folder, name));
  const file = join(folder, `events.out.tfevents.${Math.floor(Date.now() / 1000)}.decant`);
  writeFileSync(file, versionRecord(Date.now() / 1000));
  const write = (points: readonly Point[]): void => {
    const at = Date.now() / 1000;
    try {
      appendFileSync(file, Buffer.concat(points.map((point) => scalarRecord({ ...point, at }))));
    } catch {
      // A disk that fills up ends the log, not the work that it is about.
    }
  };
  return {
    event: (event) => {
      if (event.type === 'progress') write(ofProgress(event));
    },
    finished: (report) => write([...report.stages.flatMap(ofTraining), ...ofStages(report)]),
  };
};
