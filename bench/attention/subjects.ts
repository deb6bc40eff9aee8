import type { HostTensor, Program } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { type Graph, value } from '../../graph/graph.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { withAttention } from '../../models/attention/convert.ts';
import { type Settings, settingNames, settingsFor } from '../../models/attention/kind.ts';
import { kindOf } from '../../models/attention/kinds/index.ts';
import { buildEncoder } from '../../models/encoder.ts';

const VOCABULARY = 64;

/** What shared/sequences.md measured: width 256, 4 heads of 64. */
const shape = { hidden: 256, heads: 4, ffn: 1024 } as const;

/** An encoder with full attention, of random weights. */
export const encoderOf = (layers: number, maxLength: number): Graph =>
  buildEncoder(
    {
      ...{ ...shape, layers, maxLength, vocabulary: VOCABULARY, norm: 'post', activation: 'gelu', pooling: 'mean' },
      ...{ labels: ['a', 'b'], dropout: 0, tokens: { padding: 0, unknown: 1 } },
    },
    {},
    1,
  ).graph;

/** Attention without a mask, as one node: what ONNX Runtime has a flash kernel for. */
const withoutMask = (graph: Graph): Graph => {
  const fused = fuseForInference(graph, 'apart');
  const nodes = fused.nodes.map((node) =>
    node.op === 'MultiHeadAttention' ? { ...node, inputs: node.inputs.slice(0, 3) } : node,
  );
  return { ...fused, nodes };
};

/** `window:128`, `pooled:4`: a kind and its width, or what else it takes first. */
const settingsIn = (text: string): { readonly name: string; readonly settings: Settings } => {
  const [name = '', number] = text.split(':');
  const kind = kindOf(name);
  const own = settingNames.find((setting) => kind.settings[setting] !== undefined);
  const given = own === undefined || number === undefined ? {} : { [own]: Number(number) };
  return { name, settings: settingsFor(kind, given) };
};

/** `full` as decant ships it, `flash` for texts without padding, or a kind; one thread. */
export const programOf = async (graph: Graph, subject: string, longest: number): Promise<Program> => {
  const compile = (one: Graph): Promise<Program> => cpuEngine.compile(one, { threads: 1 });
  if (subject === 'full') return await compile(fuseForInference(graph));
  if (subject === 'flash') return await compile(withoutMask(graph));
  const { name, settings } = settingsIn(subject);
  return await compile(fuseForInference(withAttention(graph, { kind: kindOf(name), settings, seed: 1, longest })));
};

/** One text without padding. */
export const feedsOf = (length: number): Readonly<Record<string, HostTensor>> => {
  const input = (at: (i: number) => bigint): HostTensor => ({
    dtype: 'int64',
    dims: [1, length],
    data: BigInt64Array.from({ length }, (_, i) => at(i)),
  });
  return {
    [value('input_ids')]: input((i) => BigInt((i * 7) % VOCABULARY)),
    [value('attention_mask')]: input(() => 1n),
  };
};
