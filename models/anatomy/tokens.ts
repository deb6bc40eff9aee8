import { applyCuts, followCut, isRefusal } from '../../graph/cut/index.ts';
import { sliceTensor } from '../../graph/cut/slice.ts';
import { type Graph, indexOf, type Node, readingAs, type Value, value } from '../../graph/graph.ts';
import { looksUpRows, readsRows, sitesAt } from '../../graph/sites.ts';
import { modelError } from '../../ground/errors.ts';
import { modelTask } from '../../ground/tasks.ts';
import { type Model, type ModelInfo, tokensIn } from '../model.ts';
import { answerName, expectInput, inputOf } from '../signature.ts';
import { rebuilt } from './rebuild.ts';

/** A look-up of token rows. */
interface TokenLookup {
  readonly node: Node;
  readonly table: Value;
}

/** The token ids under every name they go by. */
const idNames = (graph: Graph, ids: Value): ReadonlySet<Value> => {
  const names = new Set([ids]);
  for (const { op, inputs, outputs } of graph.nodes) {
    const [input] = inputs;
    const [output] = outputs;
    if (passingOn.has(op) && op !== 'Shape' && input != null && names.has(input) && output !== undefined) {
      names.add(output);
    }
  }
  return names;
};

const lookupsBy = (graph: Graph, ids: ReadonlySet<Value>, isLookup = looksUpRows): readonly TokenLookup[] =>
  graph.nodes.flatMap((node) => {
    const indices = node.inputs[1];
    if (indices == null || !ids.has(indices)) return [];
    return sitesAt(graph, node).flatMap((site) => (isLookup(site) ? [{ node, table: site.weight }] : []));
  });

const rowsOf = (graph: Graph, table: Value): number => graph.weights.get(table)?.dims[0] ?? 0;

/** Operators to which ids are no numbers. */
const passingOn: ReadonlySet<string> = new Set(['Cast', 'Identity', 'Shape']);

/** Operators that read the ids as numbers: positions that skip padding compare them with its id. */
const comparisons = (graph: Graph, ids: ReadonlySet<Value>): readonly Node[] =>
  [...ids]
    .flatMap((name) => indexOf(graph).users.get(name) ?? [])
    .filter((node) => !passingOn.has(node.op) && !sitesAt(graph, node).some(looksUpRows));

const expectSameRoles = (
  graph: Graph,
  ids: ReadonlySet<Value>,
  { processor }: ModelInfo,
  kept: readonly number[],
): void => {
  const [node] = comparisons(graph, ids);
  const moved = Object.values(tokensIn(processor)).find((id) => kept[id] !== id);
  if (node === undefined || moved === undefined) return;
  throw modelError(
    `${node.op} '${node.name}' compares token ids with numbers, and the special token ${moved} would get another id`,
  );
};

const apart = (table: Value): Value => value(`${table}/rows`);

/** The graph whose look-ups read tables of their own, so that what else a table is used for can be cut like a matrix. */
const lookedUpApart = (graph: Graph, lookups: readonly TokenLookup[]): Graph => {
  const tables = new Map(lookups.map(({ node, table }) => [node, table]));
  const weights = new Map(graph.weights);
  for (const table of tables.values()) weights.set(apart(table), weights.get(table) ?? neverMissing(table));
  return rebuilt(graph, weights, (node) => {
    const table = tables.get(node);
    return table === undefined ? node : { ...node, inputs: [apart(table), ...node.inputs.slice(1)] };
  });
};

const neverMissing = (table: Value): never => {
  throw new Error(`the table '${table}' is no weight`);
};

/** A model that predicts tokens loses the same ones at its end: the decoder's columns, tied to the table or not. */
const withoutPredictions = (graph: Graph, output: Value, kept: readonly number[]): Graph => {
  const group = followCut(graph, { value: output, axis: -1 });
  if (isRefusal(group)) throw modelError(`the predictions of tokens cannot be cut: ${group.refused}`);
  return applyCuts(graph, [group], [kept]);
};

/** Slices the tables of the look-ups and puts them back under their old names. */
const withRows = (graph: Graph, tables: ReadonlySet<Value>, kept: Int32Array): Graph => {
  const weights = new Map(graph.weights);
  for (const table of tables) {
    const rows = weights.get(apart(table)) ?? neverMissing(table);
    const left = weights.get(table);
    if (left !== undefined && left.dims[0] !== kept.length) {
      throw modelError(`the token table '${table}' is used for more than looking up tokens`);
    }
    weights.set(table, left ?? sliceTensor(rows, [kept, undefined]));
    weights.delete(apart(table));
  }
  const own = new Map([...tables].map((table) => [apart(table), table]));
  return rebuilt(graph, weights, (node) => readingAs(node, (input) => own.get(input) ?? input));
};

const rowsBy = (graph: Graph, input: Value, isLookup = looksUpRows): readonly number[] =>
  lookupsBy(graph, idNames(graph, input), isLookup).map(({ table }) => rowsOf(graph, table));

const tableRows = ({ graph, info }: Model, isLookup = looksUpRows): readonly number[] =>
  rowsBy(graph, expectInput(info.signature, 'tokens'), isLookup);

/** Rows of the table that token ids look up; 0 where there is none. */
export const tokenRows = (model: Model): number => Math.max(0, ...tableRows(model));

/** Ids from which on a look-up by token ids fails: rows of the smallest table, learned or not. Infinite where nothing is looked up by them. */
export const endOfIds = (model: Model): number => Math.min(...tableRows(model, readsRows));

/** Types of tokens from which on a look-up by them fails; infinite where the model reads none. */
export const endOfTypes = (graph: Graph, types: Value | undefined): number =>
  types === undefined ? Number.POSITIVE_INFINITY : Math.min(...rowsBy(graph, types, readsRows));

/**
 * The graph with only some tokens, in rising order of their ids: rows of the token table, and in models that predict
 * tokens the decoder's columns. Token i of the result is token `kept[i]` of the model given. Fails where the graph compares
 * ids with numbers that would change, or reads the table in ways that cannot be cut.
 */
export const keepTokens = ({ graph, info }: Model, kept: readonly number[]): Graph => {
  const written = inputOf(info.signature, 'written');
  const ids = new Set([
    ...idNames(graph, expectInput(info.signature, 'tokens')),
    ...(written === undefined ? [] : idNames(graph, written)),
  ]);
  expectSameRoles(graph, ids, info, kept);
  const every = lookupsBy(graph, ids);
  const rows = Math.max(0, ...every.map(({ table }) => rowsOf(graph, table)));
  const last = kept.at(-1) ?? -1;
  if (last >= rows) throw modelError(`token ${last} was to be kept, but the table has ${rows} rows`);
  const lookups = every.filter(({ table }) => rowsOf(graph, table) === rows);
  const open = lookedUpApart(graph, lookups);
  const cut =
    modelTask(info.task).about === 'token' ? withoutPredictions(open, answerName(info.signature), kept) : open;
  return withRows(cut, new Set(lookups.map(({ table }) => table)), Int32Array.from(kept));
};
