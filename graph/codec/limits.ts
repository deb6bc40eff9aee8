import { codecError } from './dtypes.ts';

/**
 * What a file may ask for before anything is built of it. Each is far beyond any model, and where readers behind it (the
 * decoder, inference, ONNX Runtime) would run out of stack or memory, or crash.
 */
const limits = {
  /** Subgraphs and types inside each other. */
  depth: 16,
  /** Local functions that call each other. */
  calls: 64,
  /** Names that the nodes of all calls of local functions read or write. */
  names: 2_000_000,
  /** Axes of a tensor. */
  axes: 64,
  /** Nodes, subgraphs and calls of local functions included. */
  nodes: 50_000,
  /** Inputs and outputs, subgraphs included. */
  ports: 10_000,
  /** Weights, subgraphs included. */
  weights: 50_000,
  /** Values whose types are described, subgraphs included. */
  values: 200_000,
  /** Names that one node reads or writes. */
  arity: 10_000,
  /** Attributes of one node. */
  attributes: 1000,
  /** Bytes of one name or text. */
  name: 20_000,
  /** Bytes of one attribute that holds a list of numbers. */
  list: 1 << 20,
  /** Bytes of the integers of one weight that are no raw data: each takes tens of bytes while it is read. */
  integers: 1 << 24,
} as const;

export type Limit = keyof typeof limits;

const words: Readonly<Record<Limit, string>> = {
  depth: 'subgraphs or types inside each other',
  calls: 'local functions that call each other',
  names: 'names of values inside calls of local functions',
  axes: 'axes of one tensor',
  nodes: 'nodes',
  ports: 'inputs and outputs',
  weights: 'weights',
  values: 'described values',
  arity: 'names of values at one node',
  attributes: 'attributes of one node',
  name: 'bytes of one name',
  list: 'bytes of one list of numbers',
  integers: 'bytes of integers of one tensor',
};

/** Counts what a file asks for; beyond a limit it is refused. */
export const withinLimit = (limit: Limit, count: number): void => {
  if (count <= limits[limit]) return;
  throw codecError(`the file has more than ${limits[limit]} ${words[limit]}: no model needs as many`);
};
