import { factoredTable } from '../../models/anatomy/factors.ts';
import { anatomyOf } from '../../models/anatomy.ts';
import type { Model } from '../../models/model.ts';
import { factorise } from './factorise.ts';
import type { PruneContext, Pruned } from './prune.ts';
import { type Keep, rankGoal } from './targets.ts';

/**
 * Puts a narrower table times a matrix in place of a token table that is as wide as the stream: most of a small model's
 * bytes are such rows, and the stream itself keeps its width.
 */
export const factoriseEmbedding = async (model: Model, keep: Keep, { threads }: PruneContext): Promise<Pruned> => {
  const anatomy = anatomyOf(model.graph);
  const { table, embeddingWidth: width = 0 } = anatomy;
  const rank = rankGoal(anatomy, keep);
  const tensor = table === undefined ? undefined : model.graph.weights.get(table);
  if (rank === undefined || rank === width || table === undefined || tensor === undefined)
    return { model, metrics: {} };
  const weights = new Float64Array(tensor.dims[0] ?? 0).fill(1);
  const { energy, ...factors } = await factorise(tensor, rank, { weights, threads });
  return {
    model: { ...model, graph: factoredTable(model.graph, table, factors) },
    metrics: { embedding: { from: width, to: rank, energyKept: Number(energy.toPrecision(4)) } },
  };
};
