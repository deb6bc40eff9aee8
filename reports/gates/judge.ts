import { criticalValue } from '../../data/statistics/distributions.ts';
import { type Effect, intervalOf } from '../../data/statistics/effects.ts';
import { type Interval, wilson, Z95 } from '../../data/statistics/intervals.ts';
import type { Figure } from '../../data/statistics/metrics.ts';
import type { Metric } from '../../ground/metrics/index.ts';
import { dataTask, metricsOf } from '../../ground/tasks.ts';
import { lackingOnFirst } from '../engines.ts';
import { latencyBetween, latencyWithin } from '../latency-ratio.ts';
import { metricOf } from '../metric.ts';
import type { LatencyReport, QualityReport, StageReport } from '../report.ts';
import { figureIn, qualityEffect, type Side, sameCell, stageIn, successesOf } from '../side.ts';
import { MEASURED_BUSY } from '../speed.ts';
import { BASELINE, type Gate, type GateReport, isModelFigure, isRelative, type ModelFigure } from './gate.ts';

/** What a gate is judged by: the report itself, and the one it is compared with where there is one. */
export interface Evidence {
  readonly side: Side;
  readonly baseline: Side | null;
  /** Id in the baseline of a stage that was renamed since. */
  readonly before: (id: string) => string;
}

type Found = { readonly found: Interval } | { readonly reason: string };

const missing = (reason: string): Found => ({ reason });
const exactly = (x: number): Found => ({ found: { estimate: x, low: x, high: x } });

/** The stage that a relative gate is held against, in the run it belongs to. */
const versusOf = (
  { stage, versus }: Gate,
  { side, baseline, before }: Evidence,
): { side: Side; id: string } | string => {
  if (versus !== BASELINE) return { side, id: versus ?? '' };
  return baseline === null
    ? 'there is no baseline in a run: decant diff has one'
    : { side: baseline, id: before(stage) };
};

const cellOf = (stage: StageReport, { batch, length }: Gate): LatencyReport | undefined =>
  stage.latency.find((cell) => (batch === null || cell.batch === batch) && (length === null || cell.length === length));

const negated = ({ estimate, centre, also, ...rest }: Effect): Effect => ({
  ...{ estimate: -estimate, centre: -centre, also: also && { low: -also.high, high: -also.low } },
  ...rest,
});

const exponential = ({ estimate, low, high }: Interval): Interval => ({
  estimate: Math.exp(estimate),
  low: Math.exp(low),
  high: Math.exp(high),
});

/** An interval of 95 % widened to another confidence. */
const widened = ({ value, interval }: Figure, z: number): Interval => ({
  estimate: value,
  low: value - ((value - interval.low) * z) / Z95,
  high: value + ((interval.high - value) * z) / Z95,
});

/** The interval of a metric at a gate's confidence: anew for the rate that a report is about, widened for others. */
const metricInterval = (metric: Metric, quality: QualityReport, figure: Figure, confidence: number): Interval => {
  const z = criticalValue(1 - confidence, Number.POSITIVE_INFINITY);
  if (metric.measure.kind !== 'rate' || metric.name !== quality.metric) return widened(figure, z);
  const { right, n } = successesOf(quality);
  return { estimate: figure.value, ...wilson(right, n, z) };
};

const metricLimits = (metric: Metric, gate: Gate, evidence: Evidence, stage: StageReport): Found => {
  const { quality } = stage;
  if (quality === null || quality.examples === 0) return missing(`${stage.id} was not evaluated`);
  if (!isRelative(gate.limit)) {
    const figure = figureIn(evidence.side, stage, metric);
    return figure === null
      ? missing(`no interval of ${metric.words} is known of ${stage.id}: name the folder of the run`)
      : { found: metricInterval(metric, quality, figure, gate.confidence) };
  }
  const versus = versusOf(gate, evidence);
  if (typeof versus === 'string') return missing(versus);
  const compared = qualityEffect(evidence.side, stage.id, versus.side, versus.id, metric);
  if (compared === null) return missing(`${gate.versus} has no ${metric.name} to compare with`);
  const worse = metric.better === 'higher' ? negated(compared.effect) : compared.effect;
  return { found: intervalOf(worse, 1 - gate.confidence) };
};

const qualityFound = (gate: Gate, evidence: Evidence, stage: StageReport): Found => {
  const { task } = evidence.side.report.data;
  const known = metricsOf(dataTask(task));
  const metric = known.find(({ name }) => name === gate.figure);
  if (metric !== undefined) return metricLimits(metric, gate, evidence, stage);
  const [first] = known;
  return missing(
    `models of this run are judged by ${metricOf(evidence.side.report).words}: name ${first?.name} instead`,
  );
};

/** The interval of the report at another confidence: widths of a logarithm grow with z. */
const timeInterval = ({ p50Ms, p50Interval: { low, high } }: LatencyReport, confidence: number): Interval => {
  const wider = criticalValue(1 - confidence, Number.POSITIVE_INFINITY) / Z95;
  return { estimate: p50Ms, low: p50Ms * (low / p50Ms) ** wider, high: p50Ms * (high / p50Ms) ** wider };
};

const latencyFound = (gate: Gate, evidence: Evidence, stage: StageReport): Found => {
  const cell = cellOf(stage, gate);
  if (cell === undefined)
    return missing(lackingOnFirst(stage, evidence.side.report) ?? `no such latency of ${stage.id} was measured`);
  if (cell.busy) return missing(MEASURED_BUSY);
  if (gate.limit === 'max') return { found: timeInterval(cell, gate.confidence) };
  const versus = versusOf(gate, evidence);
  if (typeof versus === 'string') return missing(versus);
  const other = sameCell(stageIn(versus.side, versus.id), cell);
  if (other === undefined) return missing(`${gate.versus} has no latency at the same batch, length and threads`);
  const ratio =
    versus.side === evidence.side
      ? latencyWithin(evidence.side, cell, other)
      : latencyBetween(versus.side, other, evidence.side, cell, stage.id);
  return ratio.kind === 'refused'
    ? missing(ratio.reason)
    : { found: exponential(intervalOf(ratio.effect, 1 - gate.confidence)) };
};

const modelFound = (figure: ModelFigure, gate: Gate, evidence: Evidence, stage: StageReport): Found => {
  const value = stage.model?.[figure];
  if (value === undefined) return missing(`${stage.id} is no model`);
  if (gate.limit === 'max') return exactly(value);
  const versus = versusOf(gate, evidence);
  if (typeof versus === 'string') return missing(versus);
  const other = stageIn(versus.side, versus.id)?.model?.[figure];
  return other === undefined || other === 0 ? missing(`${gate.versus} has no ${figure}`) : exactly(value / other);
};

const foundFor = (gate: Gate, evidence: Evidence): Found => {
  const stage = stageIn(evidence.side, gate.stage);
  if (stage === undefined) return missing(`there is no stage ${gate.stage} in the report`);
  const { figure } = gate;
  if (figure === 'p50') return latencyFound(gate, evidence, stage);
  return isModelFigure(figure) ? modelFound(figure, gate, evidence, stage) : qualityFound(gate, evidence, stage);
};

/** Passed where the whole interval keeps the limit, failed where none of it does. */
const outcomeOf = ({ limit, value }: Gate, { low, high }: Interval): GateReport['outcome'] => {
  if (limit === 'min') return low >= value ? 'passed' : high < value ? 'failed' : 'undecided';
  return high <= value ? 'passed' : low > value ? 'failed' : 'undecided';
};

export const judge = (gate: Gate, evidence: Evidence): GateReport => {
  const result = foundFor(gate, evidence);
  if ('reason' in result) return { ...gate, outcome: 'undecided', found: null, reason: result.reason };
  const { found } = result;
  if (![found.estimate, found.low, found.high].every(Number.isFinite))
    return { ...gate, outcome: 'undecided', found: null, reason: `${gate.figure} is no number` };
  const outcome = outcomeOf(gate, found);
  return { ...gate, outcome, found, reason: outcome === 'undecided' ? 'noise: the interval holds the limit' : '' };
};
