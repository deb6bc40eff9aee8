import type { Graph, Value } from '../graph.ts';
import { type Site, sitesOfWeight } from '../sites.ts';
import { elementCount, type Tensor } from '../tensor.ts';
import { type Activations, type Format, fixesRanges } from './format.ts';
import { int8 } from './formats/int8.ts';
import { blockFormAt, formAt } from './forms.ts';
import type { Grid, Layout } from './grid.ts';
import type { Ranges } from './range.ts';
import { minimumMatrix, minimumRows, minimumStored } from './thresholds.ts';
import { type Limit, quantizeError } from './weights.ts';

/** Blocks of a kind, or floats. */
export type Storage = Grid | 'float';

export interface QuantizeOptions {
  /** What is stored and computed in; 8-bit integers where nothing is said. */
  readonly format?: Format;
  /** Numbers that share a scale, where a format stores blocks. */
  readonly block?: number;
  /** Whether each block has a zero point of its own (the default). */
  readonly zeroPoint?: boolean;
  /** Whether embedding tables become 8-bit rows, too (the default): most of the bytes of small models. */
  readonly embeddings?: boolean;
  /** 7-bit weights, for CPUs whose 8-bit products saturate (x86 before VNNI). */
  readonly reduceRange?: boolean;
  /** What some weights are stored in where a format of blocks has it otherwise. */
  readonly storages?: ReadonlyMap<Value, Storage>;
  /** Of what products read, where a format wants them known from texts. */
  readonly ranges?: Ranges;
  /** The only weights that are stored in fewer bits; all that the format takes where nothing is said. */
  readonly only?: ReadonlySet<Value>;
  /** What products in blocks read: floats where nothing is said, or those rounded to 8 bits as they run. */
  readonly activations?: Activations;
  /** Names of weights that stay in float; `*` stands for any text. */
  readonly exclude?: readonly string[];
  /** Matrices with fewer elements stay in float: they gain no time. */
  readonly minimumElements?: number;
  /** Tables with fewer elements are 8 bits in the file only: a quantized look-up takes kernels of its own. */
  readonly minimumTable?: number;
}

/** What reads a weight in blocks: products, look-ups, or both of them one packing. */
export type BlockUse = 'product' | 'table' | 'both';

/** A weight in blocks, along its rows or its columns. */
export interface BlockChoice {
  readonly form: 'blocks';
  readonly use: BlockUse;
  readonly layout: Layout;
  readonly grid: Grid;
}

/**
 * What happens to a weight: the form it is quantized in, or why it stays. `linear` multiplies in 8 bits, `table` looks up
 * 8-bit rows, `stored` is 8 bits in the file only: a session makes a float constant of it when it loads the model. `blocks` are
 * whole numbers of few bits, multiplied by (`turned` where the matrix has its outputs last) or looked up in, or both: rows of a
 * table that scores tokens are the outputs of that product.
 */
export type Choice = { readonly form: 'linear' | 'table' | 'stored' } | BlockChoice | { readonly kept: string };

export const isBlocks = (choice: Choice): choice is BlockChoice => 'form' in choice && choice.form === 'blocks';

/** Largest whole number of a weight in 8 bits. */
export const eightBitLimit = ({ reduceRange }: QuantizeOptions): Limit => (reduceRange === true ? 63 : 127);

/** Why a weight stays as it is where that was asked for. */
const [EXCLUDED, NOT_ASKED] = ['excluded', 'embeddings are not asked for'];
const WORTH_IT = 'the budget has room for its floats';

/** Weights that are to stay as they are, whatever the format makes of others. */
export const leftAlone = (choices: Choices): readonly Value[] =>
  [...choices].flatMap(([name, choice]) =>
    'kept' in choice && (choice.kept === EXCLUDED || choice.kept === NOT_ASKED) ? [name] : [],
  );

/** Numbers that share a scale where nothing is said. */
const BLOCK = 32;

/** A weight that was packed from others also goes by their names. */
const namesOf = (graph: Graph, name: Value): readonly string[] => [name, ...(graph.origins?.get(name) ?? [])];

const glob = (pattern: string): RegExp =>
  new RegExp(`^${pattern.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`);

/** Tells whether a name is excluded; refuses exclusions that name no weight. */
const exclusion = (graph: Graph, patterns: readonly string[]): ((name: Value) => boolean) => {
  const known = [...graph.weights.keys()].flatMap((name) => namesOf(graph, name));
  const tests = patterns.map((pattern) => {
    const test = glob(pattern);
    if (!known.some((name) => test.test(name))) {
      const matrices = [...graph.weights].filter(([, { dims }]) => dims.length === 2).map(([name]) => name);
      throw quantizeError(`exclude: '${pattern}' names no weight; the matrices are ${matrices.join(', ')}`);
    }
    return test;
  });
  return (name) => namesOf(graph, name).some((candidate) => tests.some((test) => test.test(candidate)));
};

const tooSmall = (minimum: number): Choice => ({ kept: `smaller than ${minimum} elements` });

const chooseStored = (size: number): Choice => (size < minimumStored ? tooSmall(minimumStored) : { form: 'stored' });

const chooseLinear = (graph: Graph, sites: readonly Site[], size: number, options: QuantizeOptions): Choice => {
  // Logits get no rounded inputs: the classifier is a small part of the work.
  if (sites.some(({ answers }) => answers)) return chooseStored(size);
  const minimum = options.minimumElements ?? minimumMatrix;
  if (size < minimum) return tooSmall(minimum);
  const isInside = sites.some(({ node }) => node.domain !== '');
  if (isInside && fixesRanges(options.format ?? int8)) return { kept: 'is multiplied by inside attention' };
  const untyped = sites.some(({ node }) => graph.types.get(node.inputs[0] as Value)?.dtype !== 'float32');
  return untyped ? { kept: 'its input is not known to be float32' } : { form: 'linear' };
};

const chooseTable = (size: number, options: QuantizeOptions): Choice => {
  const minimum = options.minimumTable ?? minimumRows;
  return size < minimum ? chooseStored(size) : { form: 'table' };
};

/** Blocks lie along the inputs of a product, and along the width of a table. */
const chooseBlocks = (sites: readonly Site[], tensor: Tensor, grid: Grid, use: BlockUse): Choice => {
  const [layout = 'as it is', ...others] = new Set(
    sites.map(({ use: own }): Layout => (own.kind === 'linear' && own.inner === 0 ? 'turned' : 'as it is')),
  );
  const [rows = 0, columns = 0] = tensor.dims;
  const width = layout === 'turned' ? rows : columns;
  if (width < grid.block) return { kept: `its ${width} numbers in a row are fewer than a block of ${grid.block}` };
  if (others.length > 0) return { kept: 'its rows are outputs of one product and inputs of another' };
  if (use === 'both' && width % grid.block !== 0) return { kept: `its ${width} numbers in a row fill no blocks` };
  if (use === 'table' && (width * grid.bits) % 8 !== 0) return { kept: `its ${width} numbers in a row fill no bytes` };
  const isPlain = sites.every(({ node }) => node.domain === '');
  return isPlain ? { form: 'blocks', use, layout, grid } : { kept: 'nothing multiplies by blocks there' };
};

const chooseAs = (
  graph: Graph,
  name: Value,
  sites: readonly Site[],
  tensor: Tensor,
  options: QuantizeOptions,
): Choice => {
  const { format = int8, block = BLOCK, zeroPoint = true, storages } = options;
  const size = elementCount(tensor.dims);
  const storage = storages?.get(name);
  if (storage === 'float') return { kept: WORTH_IT };
  const gridOf = (bits: Grid['bits']): Grid => storage ?? { bits, block, zeroPoint };
  if (sites.every((site) => formAt(site) === 'linear')) {
    const { products } = format;
    if (products.kind === 'integers') return chooseLinear(graph, sites, size, options);
    if (products.kind === 'floats') return { kept: `stays in ${format.floats}` };
    const minimum = options.minimumElements ?? minimumMatrix;
    return size < minimum ? tooSmall(minimum) : chooseBlocks(sites, tensor, gridOf(products.bits), 'product');
  }
  const { tables } = format;
  if (options.embeddings === false) return { kept: NOT_ASKED };
  if (tables.kind === 'floats') return { kept: `stays in ${format.floats}` };
  const isTable = sites.every((site) => formAt(site) === 'table');
  if (tables.kind === 'integers') return isTable ? chooseTable(size, options) : chooseStored(size);
  const uses = new Set(sites.map(blockFormAt));
  // Nothing looks up rows of blocks in another order.
  if (uses.has(undefined)) return chooseStored(size);
  const minimum = options.minimumTable ?? minimumRows;
  const grid = gridOf(tables.bits);
  if (isTable) return size < minimum ? tooSmall(minimum) : chooseBlocks(sites, tensor, grid, 'table');
  const own = chooseBlocks(sites, tensor, grid, uses.size > 1 ? 'both' : 'product');
  return size < minimum || 'kept' in own ? chooseStored(size) : own;
};

const choose = (graph: Graph, name: Value, tensor: Tensor, options: QuantizeOptions): Choice => {
  const sites = sitesOfWeight(graph, name);
  if (tensor.dims.length !== 2) return { kept: 'no matrix' };
  if (graph.outputs.includes(name)) return { kept: 'an output of the graph' };
  if (sites.length === 0) return { kept: 'not used' };
  if (options.only?.has(name) === false) return { kept: 'is not asked for' };
  return chooseAs(graph, name, sites, tensor, options);
};

/** Choices by weight. */
export type Choices = ReadonlyMap<Value, Choice>;

/** The choice for every float32 weight, in the order of the graph. */
export const chooseWeights = (graph: Graph, options: QuantizeOptions): Choices => {
  const excluded = exclusion(graph, options.exclude ?? []);
  const choices = new Map<Value, Choice>();
  for (const [name, tensor] of graph.weights) {
    if (tensor.dtype !== 'float32') continue;
    choices.set(name, excluded(name) ? { kept: EXCLUDED } : choose(graph, name, tensor, options));
  }
  return choices;
};
