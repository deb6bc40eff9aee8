import { anatomyOf } from '../../models/anatomy.ts';
import type { Model } from '../../models/model.ts';
import { pruneToBudget } from './budgeted.ts';
import type { PruneOptions } from './config.ts';
import { criterionOf, isLearnt } from './criteria/index.ts';
import { magnitude } from './criteria/magnitude.ts';
import { factoriseEmbedding } from './embedding.ts';
import { infoAfter } from './info.ts';
import { poolKeys } from './key-heads.ts';
import { beforeGates, compensationOf, countsLayers } from './needs.ts';
import type { Pruned } from './pruned.ts';
import { cutStructure } from './structured.ts';
import { expectLoss, type PruneContext, subjectOf, textsOf } from './subject.ts';
import { goalsOf, type Keep } from './targets.ts';
import { cutVocabulary, tokenCounts } from './vocabulary.ts';

/** Cuts layers, widths, heads and neurons away. */
const pruneUnits = async (model: Model, keep: Keep, options: PruneOptions, context: PruneContext): Promise<Pruned> => {
  const { scope, rounds } = options;
  // Where gates are learnt nothing is ranked before.
  const criterion = isLearnt(options.criterion) ? magnitude : criterionOf(options.criterion);
  const anatomy = anatomyOf(model.graph);
  // Before a layer goes it is known whether the rest can be kept as asked.
  const goals = goalsOf(anatomy, keep);
  const ranked = countsLayers(keep) || goals.length > 0;
  if (ranked && criterion.needsExamples && context.texts !== undefined) {
    expectLoss(model, `criterion ${options.criterion}`, context.texts);
  }
  const compensate = ranked ? compensationOf(options) : 'none';
  const cut = { keep, criterion, scope, rounds, compensate };
  const { graph, metrics } = await cutStructure(subjectOf(model, options, context), cut);
  const told = compensate === 'least-squares' ? compensate : compensate === 'means';
  const how = ranked ? { criterion: criterion.name, scope, rounds, compensate: told } : {};
  return { model: { ...model, graph }, metrics: { ...how, ...metrics } };
};

/** Cuts tokens first, since all that follows is then cheaper; pools keys before the heads that share them go; factorises last, on the table that is left. */
const pruneByName = async (given: Model, options: PruneOptions, context: PruneContext): Promise<Pruned> => {
  if (options.keep === undefined) return { model: given, metrics: {} };
  const keep = isLearnt(options.criterion) ? beforeGates(options.keep) : options.keep;
  const tokens =
    keep.vocabulary === undefined
      ? { model: given, metrics: {} }
      : cutVocabulary(given, keep.vocabulary, await tokenCounts(given, textsOf(context)));
  const pooled = poolKeys(tokens.model, keep);
  const units = await pruneUnits(pooled.model, keep, options, context);
  const counts = () => tokenCounts(units.model, textsOf(context));
  const { model, metrics } = await factoriseEmbedding(units.model, keep, { counts, threads: context.threads });
  return {
    model: { ...model, info: infoAfter(model.info, model.graph) },
    metrics: { structure: { ...units.metrics, ...tokens.metrics, ...pooled.metrics, ...metrics } },
  };
};

/** Cuts what is named first; a budget then divides what is left to cut. */
export const pruneStructure = async (given: Model, options: PruneOptions, context: PruneContext): Promise<Pruned> => {
  const named = await pruneByName(given, options, context);
  const { budget } = options;
  if (budget === undefined) return named;
  const { model, metrics } = await pruneToBudget(given, named.model, { ...options, budget }, context);
  return { model, metrics: { structure: { ...Object(named.metrics.structure), ...metrics } } };
};
