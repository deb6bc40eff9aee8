import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import type { Model } from '../../models/model.ts';
import { Harms } from '../quantize/sensitivity.ts';
import { expectReachable, withinBudget } from './budget/index.ts';
import { meterFor } from './budget/meter.ts';
import { type BudgetOptions, freeKinds } from './budget/options.ts';
import type { PruneOptions } from './config.ts';
import { criterionOf } from './criteria/index.ts';
import { infoAfter } from './info.ts';
import { compensationOf } from './needs.ts';
import type { Pruned } from './pruned.ts';
import { expectLoss, judgedTexts, type PruneContext, subjectOf, textsOf } from './subject.ts';

/** Cuts a model from which what is named has gone already, so that it keeps to a budget counted from the one that came in. */
export const pruneToBudget = async (
  came: Model,
  model: Model,
  options: PruneOptions & { readonly budget: BudgetOptions },
  context: PruneContext,
): Promise<Pruned> => {
  const { budget, keep, rounds } = options;
  const { budget: facts, threads, signal } = context;
  if (facts === undefined) throw new Error('a budget needs facts');
  const kinds = freeKinds(budget, keep);
  const meter = meterFor(budget, came.graph, facts);
  expectReachable({ kinds, meter }, model.graph);
  const criterion = criterionOf(options.criterion);
  if (criterion.needsExamples) expectLoss(model, `criterion ${options.criterion}`, textsOf(context));
  const judged = await judgedTexts(model, budget.texts, context);
  const { graph, metrics } = await withinBudget({
    subject: subjectOf(model, options, context),
    ...{ kinds, criterion, rounds, compensate: compensationOf(options) },
    meter,
    harms: await Harms.of({ ...{ graph: model.graph, info: model.info, engine: cpuEngine }, threads, signal }, judged),
    timed: facts.timed,
    onCut: (done, total) => context.progress({ done, total, unit: 'cuts', phase: 'measuring what each cut harms' }),
  });
  const how = { criterion: criterion.name, rounds, compensate: compensationOf(options) };
  return { model: { ...model, graph, info: infoAfter(model.info, graph) }, metrics: { ...how, ...metrics } };
};
