import type { GraphBuilder } from '../graph/builder.ts';
import { dtypeCodes } from '../graph/codec/dtypes.ts';
import { differentiate } from '../graph/differentiate.ts';
import { type Shape, symbol } from '../graph/dim.ts';
import { type Graph, type Node, type Value, value } from '../graph/graph.ts';
import type { Gradient } from '../graph/op.ts';
import type { Rules } from '../graph/quantize/fake/emit.ts';
import { looksUpRows, parameterNames, sitesOfWeight } from '../graph/sites.ts';
import type { Initializer } from '../models/initialize.ts';
import type { Model } from '../models/model.ts';
import { answerName, type InputRole, inputOf } from '../models/signature.ts';
import { type Absorbed, absorb, bare, type DropoutMask } from './absorb.ts';
import type { Within } from './augment/augmentation.ts';
import type { Faked } from './faked.ts';
import { withLessKept } from './forget.ts';
import { type Changing, type Gated, gatedBy, type MaskScope } from './gated.ts';
import type { Loss, LossInput } from './losses/loss.ts';
import { leavesLast } from './order.ts';
import { ascended, LossInputs, parametersIn } from './step-scope.ts';

/** One lookup of an embedding table: the ids that were looked up and the gradient of the rows that came out. */
interface Lookup {
  readonly ids: Value;
  readonly rows: Value;
}

/**
 * A weight that training moves. Tables that are looked up (Gather on axis 0) return the gradients of the rows that were read,
 * and the host sums repeated rows: exact, in a fixed order, and without a product over the vocabulary. `dense` is what the
 * other reader of a table adds to that, which scores tokens by the very rows that stand for them.
 */
export interface StepParameter {
  readonly name: Value;
  readonly dims: readonly number[];
  readonly gradient:
    | { readonly kind: 'dense'; readonly output: Value }
    | { readonly kind: 'rows'; readonly lookups: readonly Lookup[]; readonly dense?: Value };
  /** A parameter of a loss (a projection), not of the model. */
  readonly auxiliary: boolean;
  /** How such a parameter starts, where it does not as a matrix. */
  readonly start?: Initializer | undefined;
}

/** A training step as one graph: weights, batch and dropout masks go in, losses and gradients come out. */
export interface TrainingStep {
  readonly graph: Graph;
  readonly parameters: readonly StepParameter[];
  readonly masks: readonly DropoutMask[];
  /** What losses are fed beside the model. */
  readonly inputs: readonly LossInput[];
  /** The input, if any, that all gradients are multiplied by. */
  readonly scale?: Value;
  /** The sum of all terms, and each term by its name. */
  readonly loss: Value;
  readonly terms: Readonly<Record<string, Value>>;
}

export interface StepOptions {
  readonly losses: readonly Loss[];
  /** Overrides the ratio of the model's Dropout nodes; 'off' leaves them out. */
  readonly dropout?: number | 'off' | undefined;
  /** Parameters without gradients. Nothing is computed backwards below the lowest of the others. */
  readonly frozen?: ReadonlySet<Value> | undefined;
  /** Whether gradients are those of a multiple of the loss, which is fed: small ones are then none in float16. */
  readonly scaled?: boolean | undefined;
  /** Weights that are read as they will be stored. */
  readonly faked?: Faked | undefined;
  /** Values that go on as others, where the model answers, too. */
  readonly gates?: readonly Gated[] | undefined;
  /** Values that go on as other ones. */
  readonly within?: readonly Within[] | undefined;
  /** Whether the backward pass computes layers once more, of which only what goes in is kept. */
  readonly recompute?: boolean | undefined;
}

const inputNames = (model: Model): ReadonlyMap<Value, Value> =>
  new Map(model.graph.inputs.map((input) => [input, input]));

/** The parameters of a model as fed inputs: float32 only, which is what gradients are computed in. */
const fedParameters = ({ graph }: Model): ReadonlySet<Value> =>
  new Set(parameterNames(graph).filter((name) => graph.weights.get(name)?.dtype === 'float32'));

/** The look-ups of a table that nothing else reads, or that tokens look up by their ids; else undefined. */
const lookupsOf = ({ graph, info }: Model, table: Value): readonly Lookup[] | undefined => {
  const sites = sitesOfWeight(graph, table);
  const tokens = inputOf(info.signature, 'tokens');
  const lookups = sites.flatMap((site): readonly Lookup[] => {
    const [ids, [rows]] = [site.node.inputs[1], site.node.outputs];
    return !looksUpRows(site) || ids == null || ids === table || rows === undefined ? [] : [{ ids, rows }];
  });
  if (lookups.length === 0) return undefined;
  return lookups.length === sites.length || lookups.every(({ ids }) => ids === tokens) ? lookups : undefined;
};

/** Ids as whoever adds up rows reads them: optimizers of other makers look rows up by narrower ones. */
const wideIds = (builder: GraphBuilder, ids: Value): Value =>
  builder.type(ids).dtype === 'int64' ? ids : builder.op('Cast', [ids], { to: dtypeCodes.int64 });

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

  frozen(): Graph {
    return this.#builder.freeze([...this.#names], { keepInputs: false });
  }
}

interface Emitted {
  readonly student: Absorbed;
  readonly total: Value;
  readonly terms: Readonly<Record<string, Value>>;
  readonly auxiliary: ReadonlyMap<Value, Pick<StepParameter, 'dims' | 'start'>>;
  readonly inputs: readonly LossInput[];
}

const wholeMatrix: Shape = [symbol('batch'), symbol('sequence')];

/** What is given to an input of a role: the model's own input, unless tokens were dropped there, or there is none. */
const givenTo = ({ graph, info }: Model, inputs: LossInputs, role: InputRole): Value => {
  const own = inputOf(info.signature, role);
  if (own !== undefined && role !== 'tokens') return own;
  const shape = graph.types.get(inputOf(info.signature, 'tokens') ?? value(''))?.shape ?? wholeMatrix;
  return inputs.add({ name: `given_${role}`, dtype: 'int64', shape, feed: (batch) => batch.given(role) });
};

/** What values of the model go on as while it is trained. */
const changesOf = (
  { gates = [], within = [] }: Pick<StepOptions, 'gates' | 'within'>,
  scope: Required<MaskScope>,
): Changing => {
  const gated = gatedBy(gates, scope);
  const changes = new Map(within.map((change) => [change.value, change]));
  return (name, seen) => {
    const x = gated(name, seen);
    const change = changes.get(name);
    if (change === undefined) return x;
    return scope.builder.within(`${name}/changed`, () => change.emit(scope, x ?? seen(name)));
  };
};

const emitLosses = (
  builder: GraphBuilder,
  model: Model,
  { losses, dropout, faked, ...changes }: Pick<StepOptions, 'losses' | 'dropout' | 'faked' | 'gates' | 'within'>,
  fed?: ReadonlySet<Value>,
): Emitted => {
  const { graph, info } = model;
  const inputs = new LossInputs(builder);
  const { parameter, made: auxiliary } = parametersIn(builder);
  const rules: Rules = new Map();
  const student = absorb(builder, graph, {
    ...{ inputs: inputNames(model), dropout, faked },
    ...(fed === undefined ? {} : { fed }),
    changed: changesOf(changes, { builder, parameter, input: (input) => inputs.add(input) }),
  });
  const answers = student.resolve(answerName(info.signature));
  const terms: Record<string, Value> = {};
  for (const loss of losses) {
    terms[loss.name] = builder.within(`loss/${loss.name}`, () =>
      loss.emit({
        ...{ builder, answers },
        input: (input) => inputs.add(input),
        given: (role) => givenTo(model, inputs, role),
        join: (frozen, prefix, given) => absorb(builder, frozen, { prefix, dropout: 'off', inputs: given }).resolve,
        student: (name) => student.resolve(name),
        ...{ parameter, ascent: (rising) => ascended(builder, rules, rising) },
      }),
    );
  }
  const [first, ...rest] = Object.values(terms);
  if (first === undefined) throw new Error('a training step needs at least one loss');
  const total = rest.reduce((sum, term) => builder.op('Add', [sum, term]), first);
  const ruleAt = (node: Node): Gradient | undefined => {
    const [made] = node.outputs;
    return (made === undefined ? undefined : rules.get(made)) ?? student.ruleAt(node);
  };
  return { student: { ...student, ruleAt }, total, terms, auxiliary, inputs: inputs.all };
};

/** A model as inference computes it with its losses, in a builder of its own: what measures weights or units by a loss. */
export const buildLoss = (
  model: Model,
  losses: readonly Loss[],
  purpose: string,
): Pick<Emitted, 'total' | 'inputs'> & { readonly builder: GraphBuilder; resolve(name: Value): Value } => {
  const builder = bare(model.graph, purpose);
  const { student, total, inputs } = emitLosses(builder, model, { losses, dropout: 'off' });
  return { builder, total, inputs, resolve: (name) => student.resolve(name) };
};

/** The sum of all terms and each of them as outputs, one that is the sum but once. */
const lossesIn = (outputs: Outputs, total: Value, terms: Emitted['terms']) => {
  const loss = outputs.add(total, false);
  const named = Object.entries(terms).map(([name, term]) => [name, term === total ? loss : outputs.add(term, false)]);
  return { loss, named: Object.fromEntries(named) };
};

/** What gradients are taken of: weights, and rows where tables are looked up. */
const askedOf = (model: Model, moving: readonly Value[], student: Absorbed) => {
  const tables = new Map(moving.map((name) => [name, lookupsOf(model, name)]));
  const isRead = (name: Value): boolean => tables.get(name)?.length !== sitesOfWeight(model.graph, name).length;
  const rowsOf = (name: Value): readonly Value[] => tables.get(name)?.map(({ rows }) => student.found(rows)) ?? [];
  const wanted = moving.flatMap((name) => [...rowsOf(name), ...(isRead(name) ? [name] : [])]);
  // What was looked up has gradients of its own: none goes on from there to a table that is read otherwise, too.
  const rowsAt = new Set(moving.filter(isRead).flatMap(rowsOf));
  const ruleAt = (node: Node): Gradient | undefined => {
    const [made] = node.outputs;
    return made !== undefined && rowsAt.has(made) ? () => [null, null] : student.ruleAt(node);
  };
  return { tables, wanted, ruleAt };
};

/** The loss that gradients are taken of. */
const multipleOf = (builder: GraphBuilder, total: Value, { scale }: Pick<TrainingStep, 'scale'>): Value =>
  scale === undefined ? total : builder.op('Mul', [total, scale]);

/**
 * Builds the training step of a model. Trainable is every float32 weight that is a parameter by what it is used for
 * (graph/sites.ts) and that a gradient reaches; constants such as attention scales stay what they are.
 */
export const buildStep = (model: Model, options: StepOptions): TrainingStep => {
  const { graph } = model;
  const fed = fedParameters(model);
  const builder = bare(graph, 'training-step');
  const { student, total, terms, auxiliary, inputs: asked } = emitLosses(builder, model, options, fed);
  const moving = [...fed].filter((name) => options.frozen?.has(name) !== true);
  const { tables, wanted, ruleAt } = askedOf(model, moving, student);
  const scaled = options.scaled === true ? { scale: builder.input('update/scale', 'float32', []) } : {};
  const gradients = builder.within('backward', () =>
    differentiate(builder, multipleOf(builder, total, scaled), [...wanted, ...auxiliary.keys()], { ruleAt }),
  );
  const outputs = new Outputs(builder);
  const { loss, named } = lossesIn(outputs, total, terms);
  const gradientOf = (name: Value): StepParameter['gradient'] | undefined => {
    const lookups = tables.get(name);
    if (lookups === undefined) {
      const gradient = gradients.get(name);
      return gradient === undefined ? undefined : { kind: 'dense', output: outputs.add(gradient, false) };
    }
    const reached = lookups.flatMap(({ ids, rows }) => {
      const gradient = gradients.get(student.found(rows));
      return gradient === undefined ? [] : [{ ids, gradient }];
    });
    if (reached.length === 0) return undefined;
    const read = gradients.get(name);
    return {
      kind: 'rows',
      ...(read === undefined ? {} : { dense: outputs.add(read, false) }),
      lookups: reached.map(({ ids, gradient }) => ({
        ids: graph.inputs.includes(ids)
          ? ids
          : outputs.add(wideIds(builder, student.resolve(ids)), graph.weights.has(ids)),
        rows: outputs.add(gradient, false),
      })),
    };
  };
  const parameters = [...moving, ...auxiliary.keys()].flatMap((name): readonly StepParameter[] => {
    const [gradient, own] = [gradientOf(name), auxiliary.get(name)];
    const dims = own?.dims ?? graph.weights.get(name)?.dims;
    if (gradient === undefined || dims === undefined) return [];
    return [{ name, dims, gradient, auxiliary: own !== undefined, start: own?.start }];
  });
  const step = leavesLast(withLessKept(outputs.frozen(), total, { model, student, ...options }));
  const kept = new Set<Value>(step.inputs);
  return {
    ...{ graph: step, parameters, loss, terms: named, ...scaled },
    inputs: asked.filter(({ name }) => kept.has(value(name))),
    masks: student.masks.filter(({ input }) => kept.has(input)),
  };
};

/** The model as training sees it between epochs: parameters as inputs, no dropout, its answers as output, and what it remembers. */
export const buildEvaluation = (
  model: Model,
  { faked, gates = [] }: Pick<StepOptions, 'faked' | 'gates'> = {},
): Graph => {
  const { graph, info } = model;
  const builder = bare(graph, 'evaluation');
  const { resolve } = absorb(builder, graph, {
    ...{ inputs: inputNames(model), fed: fedParameters(model), dropout: 'off', faked },
    changed: gatedBy(gates, { builder, parameter: parametersIn(builder).parameter }),
  });
  const remembered = info.signature.states.map(({ present }) => resolve(present));
  return builder.freeze([resolve(answerName(info.signature)), ...remembered], { keepInputs: false });
};
