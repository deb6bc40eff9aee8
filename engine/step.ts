import { GraphBuilder } from '../graph/builder.ts';
import { differentiate } from '../graph/differentiate.ts';
import { type Shape, symbol } from '../graph/dim.ts';
import { type Graph, type Value, value } from '../graph/graph.ts';
import { looksUpRows, parameterNames, sitesOfWeight } from '../graph/sites.ts';
import { modelError } from '../ground/errors.ts';
import type { Model } from '../models/model.ts';
import { type Absorbed, absorb, type DropoutMask } from './absorb.ts';
import { type Loss, lossInputs } from './losses/index.ts';
import { leavesLast } from './order.ts';
import { recomputed } from './recompute.ts';
import { taskOf } from './tasks/index.ts';

/** One lookup of an embedding table: the ids that were looked up and the gradient of the rows that came out. */
interface Lookup {
  readonly ids: Value;
  readonly rows: Value;
}

/**
 * A weight that training moves. Tables that are only looked up (Gather on axis 0) return the gradients of the rows that
 * were read, and the host sums repeated rows: exact, in a fixed order, and without a product over the vocabulary.
 */
export interface StepParameter {
  readonly name: Value;
  readonly dims: readonly number[];
  readonly gradient:
    | { readonly kind: 'dense'; readonly output: Value }
    | { readonly kind: 'rows'; readonly lookups: readonly Lookup[] };
  /** A parameter of a loss (a projection), not of the model. */
  readonly auxiliary: boolean;
}

/** A training step as one graph: weights, batch and dropout masks go in, losses and gradients come out. */
export interface TrainingStep {
  readonly graph: Graph;
  readonly parameters: readonly StepParameter[];
  readonly masks: readonly DropoutMask[];
  /** The sum of all terms, and each term by its name. */
  readonly loss: Value;
  readonly terms: Readonly<Record<string, Value>>;
}

export interface StepOptions {
  readonly losses: readonly Loss[];
  /** Overrides the ratio of the model's Dropout nodes. */
  readonly dropout?: number | undefined;
  /** Parameters without gradients. Nothing is computed backwards below the lowest of the others. */
  readonly frozen?: ReadonlySet<Value> | undefined;
}

const inputNames = (model: Model): ReadonlyMap<Value, Value> =>
  new Map(model.graph.inputs.map((input) => [input, input]));

const addInputs = (builder: GraphBuilder, graph: Graph): void => {
  for (const input of graph.inputs) {
    const type = graph.types.get(input);
    if (type === undefined) throw modelError(`the input '${input}' of '${graph.name}' has no type`);
    builder.input(input, type.dtype, type.shape);
  }
};

/** The parameters of a model as fed inputs: float32 only, which is what gradients are computed in. */
const fedParameters = ({ graph }: Model): ReadonlySet<Value> =>
  new Set(parameterNames(graph).filter((name) => graph.weights.get(name)?.dtype === 'float32'));

/** The look-ups of a table that nothing else reads, else undefined. */
const lookupsOf = (graph: Graph, table: Value): readonly Lookup[] | undefined => {
  const sites = sitesOfWeight(graph, table);
  const lookups = sites.flatMap((site): readonly Lookup[] => {
    const [ids, [rows]] = [site.node.inputs[1], site.node.outputs];
    return !looksUpRows(site) || ids == null || ids === table || rows === undefined ? [] : [{ ids, rows }];
  });
  return lookups.length === 0 || lookups.length < sites.length ? undefined : lookups;
};

/** Names that can be graph outputs: no input, no weight, and each only once. */
class Outputs {
  readonly #builder: GraphBuilder;
  readonly #names = new Set<Value>();

  constructor(builder: GraphBuilder) {
    this.#builder = builder;
  }

  add(name: Value, fixed: boolean): Value {
    const own = fixed || this.#names.has(name) ? this.#builder.op('Identity', [name]) : name;
    this.#names.add(own);
    return own;
  }

  get all(): readonly Value[] {
    return [...this.#names];
  }
}

interface Emitted {
  readonly student: Absorbed;
  readonly total: Value;
  readonly terms: Readonly<Record<string, Value>>;
  readonly auxiliary: ReadonlyMap<Value, readonly number[]>;
}

const emitLosses = (builder: GraphBuilder, model: Model, options: StepOptions, fed: ReadonlySet<Value>): Emitted => {
  const { graph, info } = model;
  addInputs(builder, graph);
  const student = absorb(builder, graph, { inputs: inputNames(model), fed, dropout: options.dropout });
  const auxiliary = new Map<Value, readonly number[]>();
  const tokens: Shape = graph.types.get(value(info.inputs.ids))?.shape ?? [symbol('batch'), symbol('sequence')];
  const made = new Map<string, Value>();
  /** An input of (batch, sequence) that only some losses need. */
  const tokenInput = (name: string): Value => {
    const input = made.get(name) ?? builder.input(name, 'int64', tokens);
    made.set(name, input);
    return input;
  };
  const said = taskOf(info.task).emitAnswers(builder, info, student.resolve(value(info.output)));
  const terms: Record<string, Value> = {};
  for (const loss of options.losses) {
    terms[loss.name] = builder.within(`loss/${loss.name}`, () =>
      loss.emit({
        builder,
        cleanIds: () => tokenInput(lossInputs.cleanIds),
        types: () => (info.inputs.types === undefined ? tokenInput(lossInputs.types) : value(info.inputs.types)),
        mask: value(info.inputs.mask),
        answers: said,
        student: (name) => student.resolve(value(name)),
        parameter: (name, dims) => {
          const parameter = builder.input(name, 'float32', dims);
          auxiliary.set(parameter, dims);
          return parameter;
        },
      }),
    );
  }
  const values = Object.values(terms);
  const [first, ...rest] = values;
  if (first === undefined) throw new Error('a training step needs at least one loss');
  const total = rest.reduce((sum, term) => builder.op('Add', [sum, term]), first);
  return { student, total, terms, auxiliary };
};

/**
 * Builds the training step of a model. Trainable is every float32 weight that is a parameter by what it is used for
 * (graph/sites.ts) and that a gradient reaches; constants such as attention scales stay what they are.
 */
export const buildStep = (model: Model, options: StepOptions): TrainingStep => {
  const { graph } = model;
  const fed = fedParameters(model);
  const builder = new GraphBuilder(`${graph.name}-training-step`, graph.opsets);
  const { student, total, terms, auxiliary } = emitLosses(builder, model, options, fed);
  const moving = [...fed].filter((name) => options.frozen?.has(name) !== true);
  const tables = new Map(moving.map((name) => [name, lookupsOf(graph, name)]));
  const wanted = moving.flatMap((name) => tables.get(name)?.map(({ rows }) => student.resolve(rows)) ?? [name]);
  const gradients = builder.within('backward', () => differentiate(builder, total, [...wanted, ...auxiliary.keys()]));

  const outputs = new Outputs(builder);
  const loss = outputs.add(total, false);
  const named = Object.fromEntries(
    Object.entries(terms).map(([name, term]) => [name, term === total ? loss : outputs.add(term, false)]),
  );
  const inputs = new Set<Value>(graph.inputs);
  const gradientOf = (name: Value): StepParameter['gradient'] | undefined => {
    const lookups = tables.get(name);
    if (lookups === undefined) {
      const gradient = gradients.get(name);
      return gradient === undefined ? undefined : { kind: 'dense', output: outputs.add(gradient, false) };
    }
    const reached = lookups.flatMap(({ ids, rows }) => {
      const gradient = gradients.get(student.resolve(rows));
      return gradient === undefined ? [] : [{ ids, gradient }];
    });
    if (reached.length === 0) return undefined;
    return {
      kind: 'rows',
      lookups: reached.map(({ ids, gradient }) => ({
        ids: inputs.has(ids) ? ids : outputs.add(student.resolve(ids), graph.weights.has(ids)),
        rows: outputs.add(gradient, false),
      })),
    };
  };
  const parameters: StepParameter[] = [];
  for (const name of [...moving, ...auxiliary.keys()]) {
    const gradient = gradientOf(name);
    const dims = auxiliary.get(name) ?? graph.weights.get(name)?.dims;
    if (gradient === undefined || dims === undefined) continue;
    parameters.push({ name, dims, gradient, auxiliary: auxiliary.has(name) });
  }
  const step = leavesLast(recomputed(builder.freeze(outputs.all, { keepInputs: false }), total));
  const kept = new Set(step.inputs);
  return { graph: step, parameters, masks: student.masks.filter(({ input }) => kept.has(input)), loss, terms: named };
};

/** The model as training sees it between epochs: parameters as inputs, no dropout, the answers as output. */
export const buildEvaluation = (model: Model): Graph => {
  const { graph, info } = model;
  const builder = new GraphBuilder(`${graph.name}-evaluation`, graph.opsets);
  addInputs(builder, graph);
  const { resolve } = absorb(builder, graph, { inputs: inputNames(model), fed: fedParameters(model), dropout: 'off' });
  const answers = taskOf(info.task).emitAnswers(builder, info, resolve(value(info.output)));
  return builder.freeze([answers], { keepInputs: false });
};
