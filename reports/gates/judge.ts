import { latencyBetween, latencyWithin } from '../latency-ratio.ts';
import { metricOf } from '../metric.ts';
import type { LatencyReport, QualityReport, StageReport } from '../report.ts';
import { qualityEffect, type Side, sameCell, stageIn, successesOf } from '../side.ts';
import { MEASURED_BUSY } from '../speed.ts';
import { criticalValue } from '../statistics/distributions.ts';
import { type Effect, intervalOf } from '../statistics/effects.ts';
import { type Interval, wilson, Z95 } from '../statistics/intervals.ts';
import { BASELINE, type Gate, type GateFigure, type GateReport } from './gate.ts';

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

/** The interval of a quality at a gate's confidence: anew for a rate, widened for a mean. */
const qualityInterval = (quality: QualityReport, confidence: number): Interval => {
  const z = criticalValue(1 - confidence, Number.POSITIVE_INFINITY);
  const { accuracy: estimate, accuracyInterval: known, loss } = quality;
  if (loss === null) {
    return {
      estimate,
      low: estimate - ((estimate - known.low) * z) / Z95,
      high: estimate + ((known.high - estimate) * z) / Z95,
    };
  }
  const { right, n } = successesOf(quality);
  return { estimate, ...wilson(right, n, z) };
};

const qualityFound = (gate: Gate, evidence: Evidence, stage: StageReport): Found => {
  const { quality } = stage;
  const { figure, name } = metricOf(evidence.side.report);
  if (figure !== gate.figure) return missing(`models of this run are judged by ${name}: name ${figure} instead`);
  if (quality === null || quality.examples === 0) return missing(`${stage.id} was not evaluated`);
  if (gate.limit === 'min') return { found: qualityInterval(quality, gate.confidence) };
  const versus = versusOf(gate, evidence);
  if (typeof versus === 'string') return missing(versus);
  const compared = qualityEffect(evidence.side, stage.id, versus.side, versus.id);
  return compared === null
    ? missing(`${gate.versus} has no ${figure} to compare with`)
    : { found: intervalOf(negated(compared.effect), 1 - gate.confidence) };
};

/** The interval of the report at another confidence: widths of a logarithm grow with z. */
const timeInterval = ({ p50Ms, p50Interval: { low, high } }: LatencyReport, confidence: number): Interval => {
  const wider = criticalValue(1 - confidence, Number.POSITIVE_INFINITY) / Z95;
  return { estimate: p50Ms, low: p50Ms * (low / p50Ms) ** wider, high: p50Ms * (high / p50Ms) ** wider };
};

const latencyFound = (gate: Gate, evidence: Evidence, stage: StageReport): Found => {
  const cell = cellOf(stage, gate);
  if (cell === undefined) return missing(`no such latency of ${stage.id} was measured`);
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

type ModelFigure = Exclude<GateFigure, 'accuracy' | 'cosine' | 'p50'>;

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
  if (figure === 'accuracy' || figure === 'cosine') return qualityFound(gate, evidence, stage);
  return figure === 'p50' ? latencyFound(gate, evidence, stage) : modelFound(figure, gate, evidence, stage);
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
