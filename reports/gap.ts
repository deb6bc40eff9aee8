import type { Profile } from '../data/profile.ts';
import { isDisturbed, timeOf } from './causes/cause.ts';
import type { GapReport, LatencyReport } from './report.ts';
import { parts, splitOf } from './split.ts';

/** Below this share of the time there is no gap to explain. */
const NO_GAP = 0.05;

/**
 * The same split beside the latency that tables show: parts of a profile are shares, and the profile's own times are those of
 * another moment. Null where nothing was measured that they could be shares of.
 */
export const gapAt = (gap: GapReport, cell: LatencyReport | undefined): GapReport | null => {
  if (cell === undefined || cell.busy || cell.speedup === null) return null;
  const expectedMs = (cell.p50Ms * cell.speedup) / gap.macRatio;
  const [mine, theirs] = [cell.p50Ms / gap.ms, expectedMs / gap.expectedMs];
  const split = gap.parts.map((part) => ({ ...part, ms: mine * part.ms, expectedMs: theirs * part.expectedMs }));
  const gapMs = cell.p50Ms - expectedMs;
  const unexplainedMs = gapMs - split.reduce((sum, part) => sum + part.ms - part.expectedMs, 0);
  return {
    ...{ ...gap, timeRatio: cell.speedup, ms: cell.p50Ms, expectedMs, gapMs, parts: split, unexplainedMs },
    explained: Math.abs(gapMs) < NO_GAP * cell.p50Ms ? null : Math.max(0, 1 - Math.abs(unexplainedMs / gapMs)),
  };
};

/**
 * Why the time of a stage is not the reference's divided by as much as its MACs are: each part of its time minus what
 * that part of the reference would be. Null where either was not profiled, or other work disturbed it.
 */
export const gapOf = (profile: Profile, id: string): GapReport | null => {
  const { reference } = profile;
  const [model, other] = [profile.models[id], profile.models[reference ?? '']];
  if (model === undefined || other === undefined || reference === null || reference === id) return null;
  if (isDisturbed(model) || isDisturbed(other)) return null;
  const [mine, theirs] = [splitOf(model), splitOf(other)];
  const [ms, beside, alone] = [timeOf(model, 'full'), timeOf(model, 'reference'), timeOf(other, 'full')];
  if (!mine || !theirs || ms === undefined || beside === undefined || alone === undefined) return null;
  const macRatio = other.macs / model.macs;
  const expectedMs = beside / macRatio;
  // Parts of the reference were measured at another moment: they count as shares of its time.
  const scale = expectedMs / alone;
  const split = parts.map((name) => ({ name, ms: mine[name], expectedMs: theirs[name] * scale }));
  const gapMs = ms - expectedMs;
  if (![...split.flatMap((part) => [part.ms, part.expectedMs]), gapMs].every(Number.isFinite)) return null;
  const unexplainedMs = gapMs - split.reduce((sum, part) => sum + part.ms - part.expectedMs, 0);
  const explained = Math.max(0, 1 - Math.abs(unexplainedMs / gapMs));
  return {
    ...{ versus: reference, macRatio, timeRatio: beside / ms, ms, expectedMs, gapMs },
    parts: split,
    unexplainedMs,
    explained: Math.abs(gapMs) < NO_GAP * ms ? null : explained,
  };
};
