import { type Attention, operandsOf } from '../../graph/attention.ts';
import { type Graph, indexOf, type Node, type Value } from '../../graph/graph.ts';
import { elementCount, numbersOf } from '../../graph/tensor.ts';
import { modelError } from '../../ground/errors.ts';

/** One operand of attention where another kind can read it. */
export interface Source {
  readonly value: Value;
  /** 'flat' (batch, sequence, heads * width), or with an axis for heads behind that of the positions or before it. */
  readonly layout: 'flat' | 'behind' | 'before';
}

/** What stands beside the scores on their way into the softmax. */
export type Beside =
  | { readonly kind: 'added'; readonly value: Value }
  /** Scores are kept where the condition is true, or where it is not. */
  | { readonly kind: 'chosen'; readonly condition: Value; readonly keeps: boolean };

/** Full attention as it stands in a graph: what it reads, and the value that another kind takes the place of. */
export interface FullAttention {
  readonly attention: Attention;
  readonly query: Source;
  readonly key: Source;
  readonly value: Source;
  readonly heads: number;
  readonly headWidth: number;
  readonly beside: readonly Beside[];
  readonly dropout?: number;
  /** (batch, sequence, heads * width), or (batch, heads, sequence, width) where the heads stay apart. */
  readonly output: Value;
  readonly together: boolean;
}

const refused = ({ softmax }: Attention, why: string): Error =>
  modelError(`the attention of softmax '${softmax.name}' cannot become one of another kind: ${why}`);

const shapeAt = (graph: Graph, value: Value) => graph.types.get(value)?.shape;

const otherThan = ({ inputs }: Node, known: Value): Value | undefined =>
  inputs.find((input) => input !== null && input !== known) ?? undefined;

const isNumber = (graph: Graph, value: Value | null | undefined): boolean => {
  const tensor = value == null ? undefined : graph.weights.get(value);
  return tensor !== undefined && elementCount(tensor.dims) === 1;
};

/** Whether what is added or chosen by is the same for every query and head: its last axis alone counts something. */
const spreads = (graph: Graph, value: Value): boolean => {
  const shape = shapeAt(graph, value);
  return shape !== undefined && shape.length === 4 && shape[1] === 1 && shape[2] === 1;
};

/** What was repeated for every query, before that. */
const beforeRepeating = (graph: Graph, value: Value): Value => {
  const node = indexOf(graph).producer.get(value);
  const [input] = node?.inputs ?? [];
  return node?.op === 'Expand' && input != null ? beforeRepeating(graph, input) : value;
};

const besideOf = (graph: Graph, attention: Attention, at: Value, node: Node): Beside | undefined => {
  const side = (value: Value | null | undefined): Value => {
    const found = value == null ? undefined : beforeRepeating(graph, value);
    if (found !== undefined && spreads(graph, found)) return found;
    throw refused(
      attention,
      `${node.op} '${node.name}' tells queries or heads apart, as relative positions, causal masks and windows do`,
    );
  };
  const [a, b, c] = node.inputs;
  if (node.op === 'Add') return { kind: 'added', value: side(a === at ? b : a) };
  if (node.op === 'Where' && isNumber(graph, b === at ? c : b)) {
    return { kind: 'chosen', condition: side(a), keeps: b === at };
  }
  return undefined;
};

/** What the scores meet on their way from the product to the softmax, from the last one back. */
const onTheWay = (graph: Graph, attention: Attention): readonly Beside[] => {
  const { producer } = indexOf(graph);
  const all: Beside[] = [];
  let at: Value = attention.scores;
  let scaled = false;
  for (let node = producer.get(at); node !== undefined && node !== attention.product; node = producer.get(at)) {
    const inner = node.inputs.filter((input): input is Value => {
      const before = input === null ? undefined : producer.get(input);
      return before !== undefined && attention.nodes.has(before);
    });
    const [next, ...more] = inner;
    if (next === undefined || more.length > 0) throw refused(attention, 'its scores are more than one product');
    const scales = (node.op === 'Mul' || node.op === 'Div') && isNumber(graph, otherThan(node, next));
    const beside = scales ? undefined : besideOf(graph, attention, next, node);
    if (!scales && beside === undefined) throw refused(attention, `${node.op} '${node.name}' changes its scores`);
    if (beside !== undefined && scaled)
      throw refused(attention, `its mask is scaled like the scores, behind '${node.name}'`);
    scaled ||= scales;
    if (beside !== undefined) all.push(beside);
    at = next;
  }
  return all;
};

const turning: ReadonlySet<string> = new Set(['Transpose', 'Reshape', 'Mul', 'Div']);

const layoutOf = (graph: Graph, at: Value, heads: number, width: number): Source['layout'] | undefined => {
  const shape = shapeAt(graph, at);
  if (shape?.length === 3) return shape[2] === heads * width ? 'flat' : undefined;
  if (shape?.length !== 4 || shape[3] !== width) return undefined;
  if (shape[2] === heads) return 'behind';
  return shape[1] === heads ? 'before' : undefined;
};

/** Where an operand comes from, before it was turned and scaled: as far back as it is known in a layout. */
const sourceOf = (
  graph: Graph,
  attention: Attention,
  read: Value,
  [heads, width]: readonly [number, number],
): Source => {
  let found: Source | undefined;
  for (let at: Value | undefined = read; at !== undefined; ) {
    const layout = layoutOf(graph, at, heads, width);
    if (layout !== undefined) found = { value: at, layout };
    const node = indexOf(graph).producer.get(at);
    if (layout === 'flat' || node === undefined || !turning.has(node.op)) break;
    at = node.inputs.find((input) => input !== null && !graph.weights.has(input)) ?? undefined;
  }
  if (found === undefined) throw refused(attention, `where '${read}' comes from has no axis of ${heads} heads`);
  return found;
};

const only = (graph: Graph, value: Value | undefined): Node | undefined => {
  const users = value === undefined ? [] : (indexOf(graph).users.get(value) ?? []);
  return users.length === 1 ? users[0] : undefined;
};

/** The Dropout between the softmax and the product with the values, the only thing that may stand there. */
const dropoutOf = (graph: Graph, attention: Attention): number | undefined => {
  const { softmax, mixing } = attention;
  const next = only(graph, softmax.outputs[0]);
  if (next === mixing) return undefined;
  const ratio = next?.op === 'Dropout' ? next.inputs[1] : undefined;
  const tensor = ratio == null ? undefined : graph.weights.get(ratio);
  if (next?.op === 'Dropout' && only(graph, next.outputs[0]) === mixing) {
    return tensor === undefined ? undefined : numbersOf(tensor)[0];
  }
  throw refused(
    attention,
    `${next === undefined ? 'more than one node' : `${next.op} '${next.name}'`} reads its shares`,
  );
};

/** Behind the product with the values heads are usually put side by side again. */
const outputOf = (graph: Graph, { mixing }: Attention, width: number): Pick<FullAttention, 'output' | 'together'> => {
  const [mixed] = mixing.outputs;
  const turn = only(graph, mixed);
  const merge = turn?.op === 'Transpose' ? only(graph, turn.outputs[0]) : undefined;
  const [output] = merge?.outputs ?? [];
  const shape = output === undefined ? undefined : shapeAt(graph, output);
  if (merge?.op === 'Reshape' && output !== undefined && shape?.length === 3 && shape[2] === width) {
    return { output, together: true };
  }
  if (mixed === undefined) throw new Error(`node '${mixing.name}' has no output`);
  return { output: mixed, together: false };
};

/** Whether scores are of all positions of a text to all of them, not of blocks or means. */
const isWhole = (graph: Graph, { scores }: Attention): boolean => {
  const [batch, , queries, keys] = shapeAt(graph, scores) ?? [];
  return queries === keys && graph.inputs.some((input) => shapeAt(graph, input)?.[0] === batch);
};

/** What another kind needs of an attention; an error that says why where it is not full attention under a mask of padding. */
export const fullAttention = (graph: Graph, attention: Attention): FullAttention => {
  const { heads, product, mixing } = attention;
  const operands = operandsOf(graph, attention);
  const width = shapeAt(graph, mixing.outputs[0] ?? attention.scores)?.[3];
  if (heads === undefined || operands === undefined || typeof width !== 'number') {
    throw refused(attention, 'its scores have no axis of heads');
  }
  if (!isWhole(graph, attention))
    throw refused(attention, 'it does not compare all positions of a text with each other');
  const keyWidth = shapeAt(graph, product.inputs[0] ?? attention.scores)?.[3];
  if (keyWidth !== width) throw refused(attention, 'its values are of another width than its queries');
  const source = (read: Value): Source => sourceOf(graph, attention, read, [heads, width]);
  const dropout = dropoutOf(graph, attention);
  return {
    ...{ attention, heads, headWidth: width, beside: onTheWay(graph, attention) },
    query: source(operands.queries.value),
    key: source(operands.keys.value),
    value: source(operands.values.value),
    ...(dropout === undefined ? {} : { dropout }),
    ...outputOf(graph, attention, heads * width),
  };
};
