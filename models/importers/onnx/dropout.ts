import { modelTask } from '../../../ground/tasks.ts';
import { findArchitecture } from '../../architectures/index.ts';
import { dropping, droppingRemark } from '../../dropout/index.ts';
import { type DropoutRatios, noDropout } from '../../dropout/ratios.ts';
import { isQuantized } from '../../quantized.ts';
import type { Said } from './beside.ts';
import type { Answering } from './head.ts';

/** The graph as training takes it, and what people are told of that. */
interface Trained {
  readonly graph: Answering['graph'];
  readonly remarks: readonly string[];
}

/** The ratios of the checkpoint that a graph was exported from, where config.json says them of an architecture that decant knows. */
const ratiosBeside = ({ modelType, json }: Said, { task }: Answering, hasHead: boolean): DropoutRatios => {
  const planned = json === undefined ? undefined : findArchitecture(modelType)?.plan(json);
  if (planned === undefined || 'issues' in planned) return noDropout;
  const { dropout, head } = planned.plan;
  return { ...noDropout, ...dropout, ...(hasHead ? head(task).dropout : {}) };
};

/** Puts back the Dropout that exporters leave out. Integers are not trained. */
export const trainedAs = (answering: Answering, said: Said): Trained => {
  const { graph } = answering;
  if (isQuantized(graph)) return { graph, remarks: [] };
  const { answer } = modelTask(answering.task);
  const hasHead = answer !== 'vector' && answer !== 'token';
  const found = dropping(graph, ratiosBeside(said, answering, hasHead), { hasHead });
  return { graph: found.graph, remarks: [droppingRemark(found)] };
};
