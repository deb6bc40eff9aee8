import { GraphBuilder } from '../graph/builder.ts';
import { addDims, bindDim, type Dim, type Shape, symbol } from '../graph/dim.ts';
import { type Graph, indexOf, type Node, readingAs, type Value, value } from '../graph/graph.ts';
import { sitesAt } from '../graph/sites.ts';
import { modelError } from '../ground/errors.ts';
import { type AttentionPlace, seesByPositions, statesIn } from './cache-places.ts';
import type { Model } from './model.ts';
import { answerName, expectInput, inputOf, type Signature, type State } from './signature.ts';

/** Axes as clients know them: of what is remembered every one but the batch is empty at first. */
const BATCH = symbol('batch_size');
const SEQUENCE = symbol('sequence_length');
const PAST = symbol('past_sequence_length');

/** What clients call an input that says how many of the last positions are to be scored; 0 for all. */
const KEPT = 'num_logits_to_keep';

/** Behind every position. */
const END = 2 ** 31 - 1;

const pastName = (layer: number, role: string): string => `past_key_values.${layer}.${role}`;
const presentName = (layer: number, role: string): Value => value(`present.${layer}.${role}`);

/** Inputs under the symbols of clients; the mask is as long as what was read before and what is read now. */
const withInputs = ({ graph, info }: Model): GraphBuilder => {
  const builder = new GraphBuilder(graph.name, graph.opsets);
  builder.reserve(graph.nodes.flatMap(({ outputs }) => outputs));
  const { signature } = info;
  const mask = expectInput(signature, 'mask');
  for (const { name, axes } of signature.inputs) {
    const { dtype = 'int64', shape = [] } = graph.types.get(name) ?? {};
    const named: Shape = shape.map((dim, i): Dim => {
      if (axes[i] === 'batch') return BATCH;
      return axes[i] !== 'sequence' ? dim : name === mask ? addDims(PAST, SEQUENCE) : SEQUENCE;
    });
    builder.input(name, dtype, named);
  }
  for (const [weight, tensor] of graph.weights) builder.weight(weight, tensor, graph.origins?.get(weight));
  return builder;
};

/** A value that goes on as another one from some node on. */
type Renamed = Map<Value, Value>;

const roles = ['key', 'value'] as const;

/** Inputs of MultiHeadAttention in front of those that it remembers with. */
const BEFORE_PAST = 6;

/** Puts what was read before in front of the keys and values of every attention. */
class Remembering {
  readonly #builder: GraphBuilder;
  readonly #places: readonly AttentionPlace[];
  readonly states: State[] = [];

  constructor(builder: GraphBuilder, places: readonly AttentionPlace[]) {
    this.#builder = builder;
    this.#places = places;
    for (const [layer, { heads, width }] of places.entries()) {
      for (const role of roles) {
        const past = builder.input(pastName(layer, role), 'float32', [BATCH, heads, PAST, width]);
        const axes = ['batch', heads, 'past', width] as const;
        this.states.push({ past, present: presentName(layer, role), axes });
      }
    }
  }

  /** The joined value where one of the keys or values was just made. */
  after(output: Value, renamed: Renamed): void {
    for (const [layer, { values }] of this.#places.entries()) {
      for (const role of roles) {
        if (values?.[role] !== output) continue;
        const past = value(pastName(layer, role));
        renamed.set(output, this.#builder.op('Concat', [past, output], { axis: 2 }, presentName(layer, role)));
      }
    }
  }

  /** The node that remembers by itself, where it is one that can. */
  with(node: Node): Node {
    const layer = this.#places.findIndex(({ fused }) => fused === node);
    if (layer < 0) return node;
    const before = Array.from({ length: BEFORE_PAST }, (_, i) => node.inputs[i] ?? null);
    return {
      ...node,
      inputs: [...before, ...roles.map((role) => value(pastName(layer, role)))],
      outputs: [...node.outputs.slice(0, 1), ...roles.map((role) => presentName(layer, role))],
    };
  }
}

/** The norm in front of what scores tokens: the last one on the way to the answers. */
const lastNorm = (graph: Graph, answers: Value): Value | undefined => {
  const { producer } = indexOf(graph);
  const seen = new Set<Value>();
  for (const open = [answers]; open.length > 0; ) {
    const at = open.shift();
    const node = at === undefined || seen.has(at) ? undefined : producer.get(at);
    if (at === undefined || node === undefined) continue;
    seen.add(at);
    if (sitesAt(graph, node).some(({ use }) => use.kind === 'norm')) return at;
    for (const input of node.inputs) if (input !== null) open.push(input);
  }
  return undefined;
};

/** The last positions of x (batch, sequence, width), or all of them where none are asked for by number. */
const lastPositions = (builder: GraphBuilder, x: Value, kept: Value): Value => {
  const start = builder.op('Neg', [builder.op('Reshape', [kept, builder.ints([1])])]);
  return builder.op('Slice', [x, start, builder.ints([END]), builder.ints([1])]);
};

/** A node with what it reads under other names, and with types where nothing but the file tells them. */
const copied = (graph: Graph, builder: GraphBuilder, node: Node, renamed: Renamed): void => {
  const known = { batch: BATCH, sequence: SEQUENCE };
  builder.add(
    readingAs(node, (input) => renamed.get(input) ?? input),
    (output) => {
      const type = graph.types.get(output);
      return type?.shape === undefined ? type : { ...type, shape: type.shape.map((dim) => bindDim(dim, known)) };
    },
  );
};

const signatureWith = (signature: Signature, states: readonly State[], kept: Value): Signature => ({
  ...signature,
  inputs: [...signature.inputs, { name: kept, role: 'last', axes: [] }],
  states,
});

const exportedWithPast =
  'take an ONNX file that has past and present (optimum: --task text-generation-with-past), or its checkpoint';

const countsItself = `the decoder counts the tokens that it reads itself, so that it cannot go on from what it remembers; ${exportedWithPast}`;

/**
 * The same decoder with what it remembers as inputs and outputs: keys and values of each layer, in front of those of what it
 * reads now. With an empty past it answers as before. This one graph serves a prompt, its pieces and every new token.
 */
export const withCache = (model: Model): Model => {
  const { graph, info } = model;
  const places = statesIn(graph);
  const answers = answerName(info.signature);
  const norm = lastNorm(graph, answers);
  if (places.length === 0 || norm === undefined) {
    throw modelError(
      `no attention was found in the decoder whose keys and values could be remembered; ${exportedWithPast}`,
    );
  }
  if (!seesByPositions(graph, inputOf(info.signature, 'positions'))) throw modelError(countsItself);
  const builder = withInputs(model);
  const kept = builder.input(KEPT, 'int64', []);
  const remembering = new Remembering(builder, places);
  const renamed: Renamed = new Map();
  for (const node of graph.nodes) {
    copied(graph, builder, remembering.with(node), renamed);
    for (const output of node.outputs) {
      remembering.after(output, renamed);
      if (output === norm) renamed.set(output, lastPositions(builder, output, kept));
    }
  }
  const { states } = remembering;
  return {
    ...model,
    graph: builder.freeze([answers, ...states.map(({ present }) => present)]),
    info: { ...info, signature: signatureWith(info.signature, states, kept) },
  };
};
