import type { StageReport } from '../report.ts';

/** A stage of two runs; one side is undefined where it was added or removed. */
export interface MatchedStage {
  readonly before: StageReport | undefined;
  readonly after: StageReport | undefined;
}

/**
 * Stages of two runs by id, then those left by kind and order: a stage of another name is the same one when it is the next
 * of its kind. In the order of the second run, removed ones last.
 */
export const matchStages = (before: readonly StageReport[], after: readonly StageReport[]): readonly MatchedStage[] => {
  const ids = new Set(after.map(({ id }) => id));
  const left = before.filter(({ id }) => !ids.has(id));
  const matched = after.map((stage): MatchedStage => {
    const equal = before.find(({ id }) => id === stage.id);
    if (equal !== undefined) return { before: equal, after: stage };
    const at = left.findIndex(({ uses }) => uses === stage.uses);
    return { before: at === -1 ? undefined : left.splice(at, 1)[0], after: stage };
  });
  return [...matched, ...left.map((stage): MatchedStage => ({ before: stage, after: undefined }))];
};
