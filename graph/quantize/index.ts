import { GraphBuilder } from '../builder.ts';
import { type Graph, type Node, readingAs, type Value } from '../graph.ts';
import { uniqueNames } from '../node-names.ts';
import { type Site, sitesAt } from '../sites.ts';
import { blockwise, type Packings } from './blockwise.ts';
import { type BlockChoice, type Choices, chooseWeights, eightBitLimit, type QuantizeOptions } from './choose.ts';
import { type BlockEmission, EIGHT_BITS, emitProduct, emitRows } from './emit/blocks.ts';
import { emitFixed, type FixedEmission } from './emit/fixed.ts';
import { type Emission, emitAttention, emitLinear, emitLookup, emitStored } from './emit/integers.ts';
import { fixesRanges } from './format.ts';
import { int8 } from './formats/int8.ts';
import { blockFormAt, formAt } from './forms.ts';
import { type QuantizeReport, reportOf } from './report.ts';
import { quantizeError } from './weights.ts';

export type { QuantizeOptions } from './choose.ts';

/** DynamicQuantizeLinear came with the former operator set, steps a column of DequantizeLinear with the latter. */
const [FIRST_OPSET, FIRST_FIXED] = [11, 13];

/** All that nodes are emitted with. */
interface Emitting {
  readonly choices: Choices;
  readonly integers: Emission;
  readonly fixed: FixedEmission | undefined;
  readonly blocks: BlockEmission;
  readonly packings: Packings;
}

/** How a node computes with a weight in blocks. */
const emitBlocks = ({ blocks, packings }: Emitting, site: Site, { use }: BlockChoice): boolean => {
  const packed = packings.get(site.weight);
  const form = blockFormAt(site);
  if (packed === undefined || form === undefined) return false;
  const emit = form === 'table' ? emitRows : emitProduct;
  emit(blocks, site.node, site.weight, { ...packed, isShared: use === 'both' });
  return true;
};

const emitIntegers = ({ integers, fixed }: Emitting, node: Node, form: 'linear' | 'table'): void => {
  if (form === 'table') emitLookup(integers, node);
  else if (fixed !== undefined) emitFixed(fixed, node);
  else if (node.domain === '') emitLinear(integers, node);
  else emitAttention(integers, node);
};

/** Emits a node that computes with a quantized weight; says whether it is one. */
const emitQuantized = (emitting: Emitting, node: Node): boolean =>
  sitesAt(emitting.integers.graph, node).some((site) => {
    const [choice, form] = [emitting.choices.get(site.weight), formAt(site)];
    if (choice === undefined || !('form' in choice)) return false;
    if (choice.form === 'blocks') return emitBlocks(emitting, site, choice);
    if (form === undefined || choice.form !== form) return false;
    emitIntegers(emitting, node, form);
    return true;
  });

const emitAll = (emitting: Emitting): Graph => {
  const { graph, builder } = emitting.integers;
  const stands = new Map<Value, Value>();
  for (const [name, choice] of emitting.choices) {
    if ('form' in choice && choice.form === 'stored') stands.set(name, emitStored(emitting.integers, name));
  }
  for (const node of graph.nodes) {
    if (emitQuantized(emitting, node)) continue;
    builder.add(
      readingAs(node, (input) => stands.get(input) ?? input),
      (value) => graph.types.get(value),
    );
  }
  return uniqueNames(builder.freeze(graph.outputs));
};

/** What became of a graph and of each of its float weights. */
export interface Quantized {
  readonly graph: Graph;
  readonly report: QuantizeReport;
  readonly choices: Choices;
  /** Blocks of all weights that stand in some. */
  readonly packings: Packings;
  /** The floats that were rounded, and what was asked for. */
  readonly source: Graph;
  readonly options: QuantizeOptions;
}

/**
 * Stores matrices and embedding tables as a format says. As 8-bit integers they are multiplied in 8 bits, with activations
 * quantized at run time over the whole tensor they arrive in, or by `ranges` where the format knows them; classifiers compute in
 * float with a matrix that the file holds in 8 bits. In blocks of few bits they are multiplied by floats. Small weights stay in float. `rounded` has the blocks of weights
 * that were rounded otherwise than to the nearest.
 */
export const quantizeWeights = (
  graph: Graph,
  options: QuantizeOptions = {},
  rounded: Packings = new Map(),
): Quantized => {
  const { format = int8, ranges = new Map() }: QuantizeOptions = options;
  const { products } = format;
  const isFixed = fixesRanges(format);
  const [opset, firstOpset] = [graph.opsets[''] ?? 0, isFixed ? FIRST_FIXED : FIRST_OPSET];
  if (opset < firstOpset) {
    throw quantizeError(`'${graph.name}' has operator set ${opset}; quantization needs ${firstOpset} or newer`);
  }
  const choices = chooseWeights(graph, options);
  const packings = new Map([...blockwise(graph, choices, rounded), ...rounded]);
  const builder = GraphBuilder.like(graph, { opsets: { 'com.microsoft': 1, ...graph.opsets } });
  const integers: Emission = {
    ...{ graph, builder, limit: eightBitLimit(options), activations: new Map(), weights: new Map() },
    signed: products.kind !== 'integers' || products.signed,
  };
  const fixed = isFixed ? { integers, ranges, rounded: new Map() } : undefined;
  const blocks = { builder, stored: new Map(), level: options.activations === 'int8' ? EIGHT_BITS : undefined };
  const emitted = emitAll({ choices, integers, fixed, blocks, packings });
  return { graph: emitted, report: reportOf(graph, choices), choices, packings, source: graph, options };
};
