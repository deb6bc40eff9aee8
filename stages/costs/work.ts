import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readDatasetArtifact } from '../../data/files.ts';
import type { Graph } from '../../graph/graph.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { anatomyOf } from '../../models/anatomy.ts';
import { readModelArtifact } from '../../models/files.ts';
import { feedsOf, medianLength } from '../profile/texts.ts';
import { widthsOf } from '../prune/budget/levels.ts';
import { targetOf } from '../prune/counts.ts';
import type { StageRun } from '../stage.ts';
import { fitted } from './fit.ts';
import type { Config, Reported } from './index.ts';
import { type Point, type WidthCosts, writeCosts } from './table.ts';
import { type Beside, deployed, sharesOfTime, THREADS } from './time.ts';
import { capped, mostUnits, oneLayer, partsIn, spareLayers, timedLevels } from './variants.ts';

/** Turns beside the model, in so many fresh processes. */
const [ROUNDS, PROCESSES] = [12, 3];

const hiddenWidths = (graph: Graph, { hidden, widths }: Config): readonly number[] => {
  const most = Math.max(0, ...anatomyOf(graph).hidden.map(({ count }) => count));
  if (widths) return widthsOf(most);
  return [hidden === undefined ? most : targetOf(hidden, most).kept];
};

const isAsWide = (a: Graph, b: Graph): boolean =>
  anatomyOf(a).hidden.every(({ count }, i) => count === anatomyOf(b).hidden[i]?.count);

/** The graphs whose times make the costs at one width, with what each is for. */
const graphsAt = (graph: Graph) => {
  const anatomy = anatomyOf(graph);
  const [heads, ffn] = [timedLevels(anatomy, 'heads'), timedLevels(anatomy, 'ffn')];
  const least = capped(graph, { heads: heads[0] ?? 0, ffn: ffn[0] ?? 0 });
  const spare = spareLayers(anatomy).length;
  return {
    ...{ anatomy, heads, ffn, spare },
    graphs: [
      ...heads.map((level) => capped(graph, { heads: level })),
      ...ffn.map((level) => capped(graph, { ffn: level })),
      least,
      ...(spare === 0 ? [] : [oneLayer(least)]),
    ],
  };
};

interface Costs {
  readonly costs: WidthCosts;
  /** Whether other work had a part in it. */
  readonly busy: boolean;
}

/** `isWhole`: as it came in, it takes all of its own time. */
const costsAt = async (
  graph: Graph,
  { hidden, as, isWhole }: Pick<Config, 'as'> & { readonly hidden: number; readonly isWhole: boolean },
  beside: Beside,
): Promise<Costs> => {
  const { anatomy, heads, ffn, spare, graphs } = graphsAt(graph);
  const timedGraphs = [...graphs, ...(isWhole ? [] : [graph])].map((one) => deployed(one, as));
  const found = await sharesOfTime(timedGraphs, beside);
  const others = found.map(({ share }) => share);
  const all = isWhole ? 1 : (others[graphs.length] ?? 1);
  const timed = (levels: readonly number[], from: number): readonly Point[] =>
    levels.map((level, i) => [level, others[from + i] ?? 1]);
  const behind = heads.length + ffn.length;
  const costs = fitted(
    {
      ...{ hidden, all, heads: timed(heads, 0), ffn: timed(ffn, heads.length) },
      least: others[behind] ?? all,
      one: spare === 0 ? undefined : others[behind + 1],
      blocks: {
        heads: partsIn(anatomy, 'heads').length,
        ffn: partsIn(anatomy, 'ffn').length,
        layers: anatomy.layers.length,
        gone: spare,
      },
    },
    { heads: mostUnits(anatomy, 'heads'), ffn: mostUnits(anatomy, 'ffn') },
  );
  return { costs, busy: found.some((one) => one.busy) };
};

export const run: StageRun<Config, Reported> = async ({ model: modelInput, dataset: datasetInput }, config, ctx) => {
  if (modelInput === undefined || datasetInput === undefined) throw new Error('costs need a model and a dataset');
  const [model, dataset] = [await readModelArtifact(modelInput.path), await readDatasetArtifact(datasetInput.path)];
  const length = await medianLength(dataset, model);
  const output = await ctx.output('costs', 'costs');
  const folder = join(output, 'scratch');
  await mkdir(folder, { recursive: true });
  try {
    const beside: Beside = {
      whole: fuseForInference(model.graph),
      feeds: await feedsOf(dataset, model, length),
      ...{ folder, rounds: ROUNDS, processes: PROCESSES, ctx },
    };
    const found: Costs[] = [];
    const { as } = config;
    for (const hidden of hiddenWidths(model.graph, config)) {
      const graph = capped(model.graph, { hidden, embedding: hidden });
      found.push(
        await costsAt(graph, { hidden, as, isWhole: as === 'float32' && isAsWide(graph, model.graph) }, beside),
      );
    }
    const widths = found.map(({ costs }) => costs);
    const busy = found.some((one) => one.busy);
    if (busy) ctx.log('other work had the processor while blocks were timed: their costs may be off');
    await writeCosts(output, { schema: 'decant.costs/1', cell: { batch: 1, length }, threads: THREADS, as, widths });
    return { widths: widths.length, threads: THREADS, busy };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
