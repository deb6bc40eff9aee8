import type { Node } from '../graph.ts';
import { looksUpRows, type Site } from '../sites.ts';

const isOne = (node: Node, name: string): boolean => {
  const attribute = node.attrs[name];
  return attribute === undefined || ((attribute.kind === 'float' || attribute.kind === 'int') && attribute.value === 1);
};

const isPlainGemm = (node: Node): boolean =>
  (node.attrs.transA?.kind !== 'int' || node.attrs.transA.value === 0) && isOne(node, 'alpha') && isOne(node, 'beta');

/** Attention that QAttention can stand for: no cache, no bias of scores, equal widths. */
const isPlainAttention = ({ inputs, outputs, attrs }: Node): boolean =>
  Boolean(inputs[2]) &&
  inputs.slice(4).every((input) => input === null) &&
  outputs.length === 1 &&
  attrs.qkv_hidden_sizes === undefined;

/** Products that have a kernel for 8 bits, and what they must not do besides. */
const kernels: Readonly<Record<string, (node: Node) => boolean>> = {
  ':MatMul': () => true,
  ':Gemm': isPlainGemm,
  'com.microsoft:Attention': isPlainAttention,
};

/** How a node can compute with a matrix of 8 bits: multiply by it, or look up its rows; undefined where it cannot. */
export const formAt = (site: Site): 'linear' | 'table' | undefined => {
  const { node, use, through, weight } = site;
  if (looksUpRows(site)) return 'table';
  const multiplies = use.kind === 'linear' && use.input === 1 && through.length === 0 && node.inputs[0] !== weight;
  return multiplies && kernels[`${node.domain}:${node.op}`]?.(node) === true ? 'linear' : undefined;
};

const swapsAxes = ({ op, domain, attrs }: Node): boolean =>
  op === 'Transpose' &&
  domain === '' &&
  (attrs.perm === undefined || (attrs.perm.kind === 'ints' && attrs.perm.value.join() === '1,0'));

/** How a node can compute with a matrix in blocks: a table that scores tokens is multiplied by with its axes exchanged. */
export const blockFormAt = (site: Site): 'product' | 'table' | undefined => {
  const { node, use, through, weight } = site;
  const form = formAt(site);
  if (form !== undefined) return form === 'table' ? 'table' : 'product';
  const [between, ...more] = through;
  const isTurned = between !== undefined && more.length === 0 && swapsAxes(between);
  const isPlain = node.domain === '' && node.op === 'MatMul' && node.inputs[0] !== weight;
  return isTurned && isPlain && use.kind === 'linear' && use.input === 1 ? 'product' : undefined;
};
