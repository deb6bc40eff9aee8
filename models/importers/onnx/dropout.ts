import type { Graph } from '../../../graph/graph.ts';
import { modelTask } from '../../../ground/tasks.ts';
import { findEncoder } from '../../architectures/index.ts';
import { dropping, droppingRemark } from '../../dropout/index.ts';
import { ratioLeftIn } from '../../dropout/left.ts';
import { type DropoutRatios, evenly } from '../../dropout/ratios.ts';
import { isQuantized } from '../../quantized.ts';
import type { Said } from './beside.ts';
import type { Answering } from './head.ts';

/** The graph as training takes it, and what people are told of that. */
interface Trained {
  readonly graph: Graph;
  readonly remarks: readonly string[];
}

/** Ratios, and where they are from. */
interface Found {
  readonly ratios: DropoutRatios;
  readonly source: string;
}

/** The ratios of the checkpoint that a graph was exported from, where config.json says them of an architecture that decant knows. */
const ratiosBeside = ({ modelType, json }: Said, { task }: Answering, hasHead: boolean): DropoutRatios | undefined => {
  const planned = json === undefined ? undefined : findEncoder(modelType)?.plan(json);
  if (planned === undefined || 'issues' in planned) return undefined;
  const { dropout, head } = planned.plan;
  return { ...evenly(0), ...dropout, ...(hasHead ? head(task).dropout : {}) };
};

const ratiosOf = (given: Graph, beside: DropoutRatios | undefined): Found => {
  if (beside !== undefined) return { ratios: beside, source: 'config.json' };
  const left = ratioLeftIn(given);
  return { ratios: evenly(left ?? 0), source: 'the file' };
};

/** Puts back the Dropout that exporters leave out, or that left with the mode of training. Integers are not trained. */
export const trainedAs = (answering: Answering, said: Said, given: Graph): Trained => {
  const { graph, task } = answering;
  if (isQuantized(graph)) return { graph, remarks: [] };
  const { answer } = modelTask(task);
  const hasHead = answer !== 'vector' && answer !== 'token';
  const { ratios, source } = ratiosOf(given, ratiosBeside(said, answering, hasHead));
  const found = dropping(graph, ratios, { hasHead });
  return { graph: found.graph, remarks: [droppingRemark(found, source)] };
};
