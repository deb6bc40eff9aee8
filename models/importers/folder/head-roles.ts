import { GraphBuilder } from '../../../graph/builder.ts';
import { symbol } from '../../../graph/dim.ts';
import { parameterNames } from '../../../graph/sites.ts';
import { byteSize, type Tensor } from '../../../graph/tensor.ts';
import type { TaskName } from '../../../ground/tasks.ts';
import { type Role, roleOf } from '../../anatomy/roles.ts';
import type { Plan } from '../../architectures/architecture.ts';
import { textInputs } from '../../blocks.ts';
import { featuresName } from '../../emit-encoder.ts';

/** A parameter of which only the shape matters: its zeros take no memory before somebody reads them. */
const hollow = (_: string, dims: readonly number[]): Tensor => {
  const length = byteSize('float32', dims);
  return { dtype: 'float32', dims, bytes: { length, read: () => new Uint8Array(length) } };
};

/** What the parameters of a checkpoint's head do, known before any weight is read: the head is emitted over nothing. */
export const headRoles = ({ facts, head }: Plan, task: TaskName, labels: number): readonly Role[] => {
  const { vocabulary, embedding, hidden, epsilon } = facts;
  const builder = new GraphBuilder('head');
  const features = builder.input(featuresName, 'float32', [symbol('batch'), symbol('sequence'), hidden]);
  const inputs = textInputs(builder);
  const table = builder.weight('table', hollow('', [vocabulary, embedding]));
  const emission = { builder, parameters: hollow, prefix: '', epsilon };
  const output = head(task).emit(emission, { features, hiddenStates: [], inputs, table }, labels);
  // The head shares the table with the encoder, which looks tokens up in it.
  const graph = builder.freeze([output]);
  const own = parameterNames(graph).map((name) =>
    name === table ? 'embedding' : roleOf({ graph, info: { task } }, name),
  );
  return [...new Set(own)];
};
