import { type Graph, type Node, type Value, value } from '../../graph/graph.ts';
import { looksUpRows, sitesAt } from '../../graph/sites.ts';
import type { Tensor } from '../../graph/tensor.ts';
import { modelError } from '../../ground/errors.ts';
import { rebuilt } from './rebuild.ts';

/** Two matrices whose product stands for a table: (rows, rank) and (rank, width). */
export interface Factors {
  readonly rows: Tensor;
  readonly projection: Tensor;
}

const plain = { domain: '', attrs: {} } as const;

/** Looks up narrow rows and projects them; the result keeps its name. */
const projectedLookup = (node: Node, table: Value, projection: Value): readonly Node[] => {
  const [output] = node.outputs;
  if (output === undefined) throw new Error(`look-up '${node.name}' has no output`);
  const rows = value(`${output}/rows`);
  return [
    { ...node, name: rows, inputs: [table, ...node.inputs.slice(1)], outputs: [rows] },
    { ...plain, op: 'MatMul', name: node.name, inputs: [rows, projection], outputs: [output] },
  ];
};

/** A name beside the table's own: `embeddings.word_embeddings.projection.weight`. */
const projectionName = (table: Value): Value => value(`${table.replace(/\.weight$/, '')}.projection.weight`);

/**
 * The graph with a table in two factors: look-ups read narrow rows and multiply them with the projection, whatever else
 * reads the table (a tied decoder) reads their product. The rows keep the table's name.
 */
export const factoredTable = (graph: Graph, table: Value, { rows, projection }: Factors): Graph => {
  const name = projectionName(table);
  if (graph.types.has(name)) throw modelError(`the table '${table}' is in two factors already`);
  const whole = value(`${table}/product`);
  const product: Node = { ...plain, op: 'MatMul', name: whole, inputs: [table, name], outputs: [whole] };
  const weights = new Map(graph.weights).set(table, rows).set(name, projection);
  const reading = (node: Node): readonly Node[] =>
    sitesAt(graph, node).some((site) => site.weight === table && looksUpRows(site))
      ? projectedLookup(node, table, name)
      : [{ ...node, inputs: node.inputs.map((input) => (input === table ? whole : input)) }];
  const [first] = graph.nodes;
  return rebuilt(graph, weights, (node) => (node === first ? [product, ...reading(node)] : reading(node)));
};
