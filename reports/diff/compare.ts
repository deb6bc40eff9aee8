import { type Effect, intervalOf, pOutside } from '../../data/statistics/effects.ts';
import { type HolmStep, holm } from '../../data/statistics/holm.ts';
import type { Interval } from '../../data/statistics/intervals.ts';
import { bounded } from '../../data/statistics/metrics.ts';
import { isBetter } from '../../ground/metrics/metric.ts';
import { lackingOnFirst } from '../engines.ts';
import { BASELINE, type Gate } from '../gates/gate.ts';
import { judge } from '../gates/judge.ts';
import { latencyBetween } from '../latency-ratio.ts';
import { metricOf } from '../metric.ts';
import type { LatencyReport, Report, StageReport } from '../report.ts';
import { qualityEffect, type Side, sameCell } from '../side.ts';
import { runChanges, sizeChanges, stageChanges, structureChanges } from './changes.ts';
import type { Bands, Diff, Finding, RunName, StageDiff, Verdict } from './diff.ts';
import { type MatchedStage, matchStages } from './match.ts';

/** The whole diff is wrong about something with this probability at most. */
const ALPHA = 0.05;

/** One of the two runs of a diff. */
export interface DiffSide extends Side {
  readonly report: Report;
  readonly name: RunName;
  /** The same of the validation split; absent where nobody asked for it. */
  readonly validation?: Pick<Side, 'scores' | 'examples'>;
}

interface Sides {
  readonly before: DiffSide;
  readonly after: DiffSide;
}

/** A comparison before it is known how many there are. */
interface Candidate {
  readonly effect: Effect;
  readonly band: number;
  finish(step: HolmStep, p: number): Finding;
}

type Attempt = { readonly candidate: Candidate } | { readonly refusal: StageDiff['refusals'][number] };

const verdictOf = (rejected: boolean, better: boolean): Verdict => (rejected ? (better ? 'better' : 'worse') : 'noise');

const ratio = ({ estimate, low, high }: Interval): Interval => ({
  estimate: Math.exp(estimate),
  low: Math.exp(low),
  high: Math.exp(high),
});

const qualityAttempts = (matched: MatchedStage, { before, after }: Sides, { quality: band }: Bands): Attempt[] => {
  const { before: was, after: now } = matched;
  if (was?.quality == null || now?.quality == null) return [];
  const { metric, words } = metricOf(after.report);
  const { name: figure } = metric;
  const refused = (reason: string): Attempt[] => [{ refusal: { kind: 'quality', figure, reason } }];
  if (before.report.data.task !== after.report.data.task) {
    return refused(`the data of A is for ${before.report.data.task}, that of B for ${after.report.data.task}`);
  }
  const compared = qualityEffect(after, now.id, before, was.id);
  if (compared === null) return refused('there are no examples');
  const { effect, paired, flips } = compared;
  const figures = { before: was.quality.score, after: now.quality.score };
  if (![effect.centre, effect.error].every(Number.isFinite)) return refused(`one side's ${words} is no number`);
  const finish = ({ alpha, rejected }: HolmStep, p: number): Finding => ({
    ...{ kind: 'quality', figure },
    ...figures,
    ...{ paired, flips: flips === null ? null : { gained: flips.gained, lost: flips.lost }, p },
    difference: bounded(metric, intervalOf(effect, alpha)),
    verdict: verdictOf(rejected, isBetter(metric, effect.centre, 0)),
  });
  return [{ candidate: { effect, band, finish } }];
};

const latencyAttempt = (
  id: string,
  [was, now]: readonly [LatencyReport, LatencyReport],
  { before, after }: Sides,
  band: number,
): Attempt => {
  const compared = latencyBetween(before, was, after, now, id);
  if (compared.kind === 'refused') return { refusal: { kind: 'latency', figure: 'p50', reason: compared.reason } };
  const { effect, yardstick } = compared;
  const { batch, length } = now;
  const finish = ({ alpha, rejected }: HolmStep, p: number): Finding => ({
    ...{ kind: 'latency', figure: 'p50', batch, length, yardstick, p, before: was.p50Ms, after: now.p50Ms },
    difference: ratio(intervalOf(effect, alpha)),
    verdict: verdictOf(rejected, effect.centre < 0),
  });
  return { candidate: { effect, band, finish } };
};

/** Why a side has no latency of a stage; undefined where it has. */
const missingIn = (name: string, stage: StageReport, { report }: DiffSide): string | undefined => {
  if (stage.latency.length > 0) return undefined;
  const lacking = lackingOnFirst(stage, report);
  return `no latency was measured in ${name}${lacking === undefined ? '' : `: ${lacking}`}`;
};

const latencyAttempts = ({ before: was, after: now }: MatchedStage, sides: Sides, bands: Bands): Attempt[] => {
  if (was === undefined || now === undefined) return [];
  if (was.latency.length === 0 && now.latency.length === 0) return [];
  const pairs = now.latency.flatMap((cell) => {
    const other = sameCell(was, cell);
    return other === undefined ? [] : [latencyAttempt(now.id, [other, cell], sides, Math.log1p(bands.latency))];
  });
  if (pairs.length > 0) return pairs;
  const reason =
    missingIn('A', was, sides.before) ??
    missingIn('B', now, sides.after) ??
    'measured at other batches, lengths or threads';
  return [{ refusal: { kind: 'latency', figure: 'p50', reason } }];
};

const causeNames = (stage: MatchedStage['before']): readonly string[] => [
  ...new Set(stage?.causes.map(({ name }) => name)),
];

const causesOf = ({ before, after }: MatchedStage): StageDiff['causes'] => {
  const [was, now] = [causeNames(before), causeNames(after)];
  return before === undefined || after === undefined || before.undecided || after.undecided
    ? { appeared: [], vanished: [] }
    : {
        appeared: now.filter((name) => !was.includes(name)),
        vanished: was.filter((name) => !now.includes(name)),
      };
};

const kindOf = ({ before, after }: MatchedStage): StageDiff['kind'] => {
  if (before === undefined) return 'added';
  if (after === undefined) return 'removed';
  return before.id === after.id ? 'same' : 'renamed';
};

/** Each reason once: all latencies of a stage are refused for the same one. */
const refusalsOf = (attempts: readonly Attempt[]): StageDiff['refusals'] => {
  const refusals = attempts.flatMap((attempt) => ('refusal' in attempt ? [attempt.refusal] : []));
  return [...new Map(refusals.map((refusal) => [`${refusal.figure} ${refusal.reason}`, refusal])).values()];
};

const stageDiff = (
  matched: MatchedStage,
  attempts: readonly Attempt[],
  findings: readonly Finding[],
  renamed: ReadonlyMap<string, string>,
): StageDiff => {
  const { before, after } = matched;
  const both = before !== undefined && after !== undefined ? { before, after } : null;
  return {
    id: (after ?? before)?.id ?? '',
    was: before?.id ?? null,
    kind: kindOf(matched),
    uses: (after ?? before)?.uses ?? '',
    changes: both === null ? [] : stageChanges(both.before, both.after, renamed),
    sizes: both === null ? [] : sizeChanges(both.before, both.after),
    structure: both === null ? [] : structureChanges(both.before, both.after),
    findings,
    refusals: refusalsOf(attempts),
    causes: causesOf(matched),
  };
};

/** Intervals and verdicts of all comparisons, corrected for their number, by candidate. */
const corrected = (candidates: readonly Candidate[]): ReadonlyMap<Candidate, Finding> => {
  const ps = candidates.map(({ effect, band }) => pOutside(effect, band));
  const steps = holm(ps, ALPHA);
  return new Map(
    candidates.map((candidate, i) => [
      candidate,
      candidate.finish(steps[i] ?? { alpha: ALPHA, rejected: false }, ps[i] ?? 1),
    ]),
  );
};

/** Gates of the second run's own file are judged anew: now there is a baseline. */
const withBaseline = (gates: readonly Gate[] | null, { before, after }: Sides, matches: readonly MatchedStage[]) => {
  const names = new Map(matches.flatMap(({ before: was, after: now }) => (was && now ? [[now.id, was.id]] : [])));
  const evidence = { side: after, baseline: before, before: (id: string) => names.get(id) ?? id };
  if (gates !== null) return gates.map((gate) => judge(gate, evidence));
  return after.report.gates.map((gate) => (gate.versus === BASELINE ? judge(gate, evidence) : gate));
};

/**
 * What changed from one run to another, stage by stage. A difference counts only where its interval, corrected by Holm for
 * all comparisons of the diff, excludes the band that does not matter. `gates` are those of a file; null for those of the
 * second run itself.
 */
export const compareRuns = (sides: Sides, bands: Bands, gates: readonly Gate[] | null): Diff => {
  const { before, after } = sides;
  const matches = matchStages(before.report.stages, after.report.stages);
  const attempts = matches.map((matched) => [
    ...qualityAttempts(matched, sides, bands),
    ...latencyAttempts(matched, sides, bands),
  ]);
  const candidates = attempts.flat().flatMap((attempt) => ('candidate' in attempt ? [attempt.candidate] : []));
  const findings = corrected(candidates);
  const renamed = new Map(matches.flatMap(({ before: was, after: now }) => (was && now ? [[was.id, now.id]] : [])));
  return {
    schema: 'decant.diff/1',
    before: before.name,
    after: after.name,
    bands,
    task: after.report.data.task,
    comparisons: candidates.length,
    changes: runChanges(before.report, after.report, [before.examples, after.examples]),
    stages: matches.map((matched, i) => {
      const tried = attempts[i] ?? [];
      const own = tried.flatMap((attempt) => ('candidate' in attempt ? (findings.get(attempt.candidate) ?? []) : []));
      return stageDiff(matched, tried, own, renamed);
    }),
    gates: withBaseline(gates, sides, matches),
  };
};
