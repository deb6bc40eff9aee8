import { GraphBuilder } from '../../graph/builder.ts';
import { type Graph, type Value, value } from '../../graph/graph.ts';
import { selected } from '../../graph/ops/shared-math.ts';
import { stageError } from '../../ground/errors.ts';
import type { StepParameter, TrainingStep } from '../step.ts';
import { emitAdamW, emitJoinedGradients, emitNorm, type Renewed, type UpdateSettings } from './emit-adamw.ts';
import { emitRowSums, type RowInputs } from './row-sums.ts';
import { slabsOf } from './slabs.ts';

/** A table whose gradient is put together from rows, and the ids that the host makes its inputs from. */
export interface Table {
  readonly inputs: RowInputs;
  readonly height: number;
  readonly ids: readonly Value[];
}

/** A graph that renews what lies in buffers. */
export interface Emitted {
  readonly graph: Graph;
  readonly renewed: Renewed;
}

/** The part of an update that runs once a batch. */
export interface EmittedPass extends Emitted {
  readonly tables: readonly Table[];
  /** Computes those ids that are not fed, where there are any. */
  readonly ids: Graph | undefined;
}

/** The norm of the gradient, an output of every graph that moves weights. */
export const NORM = value('update/norm');
/** Whether a batch is another one of its update: its gradients are added. */
export const AGAIN = value('update/again');

/** Where the gradient of a parameter stays that is watched. */
export const gradientOf = (name: Value): Value => value(`update/gradient/${name}`);

export const sumOf = (name: Value): Value => value(`update/sum/${name}`);

/** One value a parameter, of the parameter's own shape. */
const emitGradients = (
  builder: GraphBuilder,
  { parameters }: TrainingStep,
): { readonly gradients: ReadonlyMap<Value, Value>; readonly tables: readonly Table[] } => {
  const gradients = new Map<Value, Value>();
  const tables: Table[] = [];
  for (const { name, dims, gradient } of parameters) {
    if (gradient.kind === 'dense') gradients.set(name, gradient.output);
    else {
      const { lookups, dense } = gradient;
      const rows = lookups.map((lookup) => lookup.rows);
      const sums = emitRowSums(builder, name, dims, rows);
      tables.push({ inputs: sums.inputs, height: dims[0] ?? 1, ids: lookups.map(({ ids }) => ids) });
      gradients.set(name, dense === undefined ? sums.gradient : builder.op('Add', [sums.gradient, dense]));
    }
  }
  return { gradients, tables };
};

/** Which rows are looked up is known before anything is computed: ids that a graph makes itself, from what it is fed. */
const idsOf = (builder: GraphBuilder, { graph, parameters }: TrainingStep, tables: readonly Table[]) => {
  const made = [...new Set(tables.flatMap(({ ids }) => ids))].filter((ids) => !graph.inputs.includes(ids));
  if (made.length === 0) return undefined;
  const ids = builder.freeze(made, { keepInputs: false });
  const weight = parameters.find(({ name }) => ids.inputs.includes(name));
  if (weight === undefined) return ids;
  throw stageError(
    `the rows that '${made.join("', '")}' look up depend on the weight '${weight.name}', which training moves: only the engine cpu trains such a model`,
  );
};

const lossesOf = ({ loss, terms }: TrainingStep): readonly Value[] => [...new Set([loss, ...Object.values(terms)])];

const passOf = (builder: GraphBuilder, step: TrainingStep, tables: readonly Table[]) => ({
  tables,
  ids: idsOf(builder, step, tables),
});

const frozen = (builder: GraphBuilder, shown: readonly Value[], renewed: Renewed): Emitted => ({
  graph: builder.freeze([...shown, ...renewed.values()], { keepInputs: false }),
  renewed,
});

/** Weights and moments that gradients move. */
const moved = (
  builder: GraphBuilder,
  parameters: readonly StepParameter[],
  of: ReadonlyMap<Value, Value>,
  settings: UpdateSettings,
): { readonly norm: Value; readonly renewed: Renewed } => {
  const gradients = emitJoinedGradients(builder, slabsOf(parameters, settings), of);
  const length = emitNorm(builder, gradients, settings);
  return { norm: length.norm, renewed: emitAdamW(builder, gradients, length, settings) };
};

/** A whole update of one batch as one graph: feeds go in, losses and the norm come out, weights and moments are renewed. */
export const emitUpdate = (step: TrainingStep, settings: UpdateSettings): EmittedPass => {
  const builder = GraphBuilder.from(step.graph);
  const { gradients, tables } = emitGradients(builder, step);
  const { norm, renewed: moving } = moved(builder, step.parameters, gradients, settings);
  const watched = Array.from(gradients).filter(([name]) => settings.watched?.has(name));
  const kept = watched.map(([name, gradient]) => [gradientOf(name), builder.op('Identity', [gradient])] as const);
  const renewed = new Map([...moving, ...kept]);
  return { ...frozen(builder, [...lossesOf(step), norm], renewed), ...passOf(builder, step, tables) };
};

/** The first part of an update of several batches: gradients are added to sums, which are renewed. */
export const emitSums = (step: TrainingStep): EmittedPass => {
  const builder = GraphBuilder.from(step.graph);
  const { gradients, tables } = emitGradients(builder, step);
  const again = builder.input(AGAIN, 'bool', []);
  const renewed = new Map(
    step.parameters.map(({ name, dims }) => {
      const before = builder.input(sumOf(name), 'float32', dims);
      const gradient = gradients.get(name);
      if (gradient === undefined) throw new Error(`no gradient for '${name}'`);
      return [before, builder.op('Add', [selected(builder, again, before), gradient])] as const;
    }),
  );
  return { ...frozen(builder, lossesOf(step), renewed), ...passOf(builder, step, tables) };
};

/** The second part: weights and moments are renewed from the sums. */
export const emitMove = (parameters: readonly StepParameter[], settings: UpdateSettings): Emitted => {
  const builder = new GraphBuilder('update');
  const gradients = new Map(
    parameters.map(({ name, dims }) => {
      builder.input(name, 'float32', dims);
      return [name, builder.input(sumOf(name), 'float32', dims)] as const;
    }),
  );
  const { norm, renewed } = moved(builder, parameters, gradients, settings);
  return frozen(builder, [norm], renewed);
};
