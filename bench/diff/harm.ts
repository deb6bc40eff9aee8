import { choices } from '../../data/evidence.ts';
import type { Scored } from '../../data/statistics/scored.ts';
import { correctness } from '../../data/statistics/scored.ts';
import type { DiffSide } from '../../reports/diff/compare.ts';
import type { Judged } from '../../reports/judged.ts';
import type { LatencyReport, StageReport } from '../../reports/report.ts';

type Scaled = { readonly low: number; readonly high: number };

const scaled = <T extends Scaled>(interval: T, by: number): T => ({
  ...interval,
  low: interval.low * by,
  high: interval.high * by,
});

const slowerCell = (cell: LatencyReport, by: number): LatencyReport => ({
  ...cell,
  p50Ms: cell.p50Ms * by,
  p50Interval: scaled(cell.p50Interval, by),
  speedup: cell.speedup === null ? null : cell.speedup / by,
  speedupInterval: cell.speedupInterval === null ? null : scaled(cell.speedupInterval, 1 / by),
  relative: cell.relative === null ? null : { ...scaled(cell.relative, by), estimate: cell.relative.estimate * by },
});

const withStage = (side: DiffSide, id: string, change: (stage: StageReport) => StageReport): DiffSide => ({
  ...side,
  report: { ...side.report, stages: side.report.stages.map((stage) => (stage.id === id ? change(stage) : stage)) },
});

/** The run as if one stage took so many times as long. */
export const slower = (side: DiffSide, id: string, by: number): DiffSide =>
  withStage(side, id, (stage) => ({ ...stage, latency: stage.latency.map((cell) => slowerCell(cell, by)) }));

/** Predictions of which `count` right ones, spread over all, name another class. */
const spoilt = (judged: Judged & { readonly scored: Scored }, count: number): Judged => {
  const { scored } = judged;
  const right = [...correctness(scored).entries()].flatMap(([example, one]) => (one === 1 ? [example] : []));
  const logits = Float32Array.from(scored.logits);
  for (let i = 0; i < Math.min(count, right.length); i++) {
    const example = right[Math.floor((i * right.length) / count)] ?? 0;
    const wrong = ((scored.labels[example] ?? 0) + 1) % scored.classes;
    logits[example * scored.classes + wrong] = Number.MAX_VALUE;
  }
  return { ...judged, ...choices({ ...scored, logits }) };
};

/** The run as if one stage were right less often by so much, on the texts that it was evaluated on. */
export const lessAccurate = (side: DiffSide, id: string, by: number): DiffSide => {
  const judged = side.scores.get(id);
  if (judged?.scored == null) throw new Error(`${side.name.where} holds no predictions of ${id}`);
  const count = Math.round(by * judged.ids.length);
  const scores = new Map(side.scores).set(id, spoilt({ ...judged, scored: judged.scored }, count));
  return {
    ...withStage(side, id, (stage) => ({
      ...stage,
      quality: stage.quality && { ...stage.quality, score: stage.quality.score - count / judged.ids.length },
    })),
    scores,
  };
};
