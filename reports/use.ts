import { writes } from '../ground/tasks.ts';
import type { Report, StageReport } from './report.ts';
import { headline } from './verdict.ts';

/** How to use what a run made, by paths beside its report. */
export interface Use {
  /** Of the exported folder, or of the stage's model where nothing was exported. */
  readonly path: string;
  readonly command: string;
  /** Null where there is no folder that other programs load. */
  readonly code: StageReport['usage'];
}

/** What a model is asked by: decoders write texts on. */
const verbFor = ({ data: { task } }: Report): string => (writes(task) ? 'generate' : 'predict');

/** The last exported folder, else the model that a reader came for; null where there is neither. */
export const useOf = (report: Report): Use | null => {
  const folder = report.stages.findLast(({ usage }) => usage !== null);
  const stage = headline(report);
  const path = folder?.id ?? (stage === null || stage.model === null ? undefined : `models/${stage.id}`);
  return path === undefined
    ? null
    : { path, command: `npx decant ${verbFor(report)} ${path} "Some text."`, code: folder?.usage ?? null };
};
