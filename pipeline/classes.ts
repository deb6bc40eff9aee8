import { type Catalogue, stageOf } from './catalogue.ts';
import type { Plan } from './plan/plan.ts';

/** What the classes of the data and those that models bring say together, before anything runs. */
export interface ClassFindings {
  /** By the number of the stage. */
  readonly problems: readonly { readonly index: number; readonly message: string }[];
  /** What is no mistake, yet worth a look. */
  readonly remarks: readonly string[];
}

/** Looks at the classes of a plan whose data were found in order. */
export const classFindings = async (plan: Plan, catalogue: Catalogue): Promise<ClassFindings> => {
  const config = plan.steps.find(({ id }) => id === plan.dataset)?.config;
  const data = await catalogue.lookAtData?.(config, plan.base);
  if (data === undefined) return { problems: [], remarks: [] };
  const problems: { index: number; message: string }[] = [];
  const remarks = [...data.remarks];
  if (data.classes.length === 0) return { problems, remarks };
  for (const [index, { id, uses }] of plan.stages.entries()) {
    const step = plan.steps.find((candidate) => candidate.id === id);
    const check = stageOf(catalogue, uses)?.checkClasses;
    if (step === undefined || check === undefined) continue;
    const { problem, remark } = await check(step.config, plan.base, data.classes);
    if (problem !== undefined) problems.push({ index, message: problem });
    else if (remark !== undefined) remarks.push(`${id}: ${data.whole ? '' : 'by the first rows, '}${remark}`);
  }
  return { problems, remarks };
};
