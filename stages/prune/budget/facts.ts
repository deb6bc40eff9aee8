import { readDatasetArtifact } from '../../../data/files.ts';
import type { Graph } from '../../../graph/graph.ts';
import { fuseForInference } from '../../../graph/rewrite/index.ts';
import type { InputArtifact } from '../../../ground/artifact.ts';
import type { Model } from '../../../models/model.ts';
import { type CostTable, readCosts } from '../../costs/table.ts';
import { deployed, sharesOfTime } from '../../costs/time.ts';
import { inFolder } from '../../profile/kernels.ts';
import { feedsOf, medianLength } from '../../profile/texts.ts';
import type { StageContext } from '../../stage.ts';
import type { BudgetOptions } from './options.ts';

/** What a budget is counted and measured with. */
export interface BudgetFacts {
  /** Tokens of a test text of the middle length, as the report counts work. */
  readonly length: number;
  readonly table?: CostTable;
  /** What a graph takes of the time of the model that came in. */
  readonly timed?: (graph: Graph) => Promise<number>;
}

/** Turns beside the whole model, in so many fresh processes. */
const [ROUNDS, PROCESSES] = [24, 4];

/** What is known of the model that comes in before anything of it is cut. */
export const budgetFacts = async (
  model: Model,
  budget: BudgetOptions,
  { dataset: datasetInput, costs }: Readonly<Record<string, InputArtifact>>,
  ctx: Pick<StageContext, 'signal' | 'progress' | 'log'>,
): Promise<BudgetFacts> => {
  if (datasetInput === undefined) throw new Error('a budget needs texts');
  const dataset = await readDatasetArtifact(datasetInput.path);
  const length = await medianLength(dataset, model);
  if (costs === undefined) return { length };
  const table = await readCosts(costs.path);
  const beside = { whole: fuseForInference(model.graph), feeds: await feedsOf(dataset, model, table.cell.length) };
  const timed = (graph: Graph): Promise<number> =>
    inFolder(async (folder) => {
      const graphs = [deployed(graph, budget.as ?? 'float32')];
      const turns = { rounds: ROUNDS, processes: PROCESSES };
      const [found] = await sharesOfTime(graphs, { ...beside, ...turns, folder, ctx });
      if (found === undefined) throw new Error('a graph was timed');
      if (found.busy) ctx.log('other work had the processor while the cut model was timed: the ratio may be off');
      return found.share;
    });
  return { length, table, timed };
};
