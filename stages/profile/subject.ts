import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ProfiledProduct, storedIn } from '../../data/profile.ts';
import type { Feeds } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { decodeGraph } from '../../graph/codec/index.ts';
import type { Graph } from '../../graph/graph.ts';
import { type Choice, chooseWeights } from '../../graph/quantize/choose.ts';
import type { Decision } from '../quantize/decision.ts';
import { groupsOf, tableOf } from './groups.ts';
import { inFolder } from './kernels.ts';
import { hasChannelScales, productsOf, zerosOf } from './products.ts';
import { recordRun } from './record.ts';
import type { Subject } from './variants/variant.ts';

/** Every node goes by a name of its own, by which profiles report it. */
const named = (graph: Graph): Graph => {
  const seen = new Set<string>();
  const nodes = graph.nodes.map((node, i) => {
    const name = node.name === '' || seen.has(node.name) ? `${node.name}#${i}` : node.name;
    seen.add(name);
    return { ...node, name };
  });
  return { ...graph, nodes };
};

/** The graph as ONNX Runtime runs it after its own fusions: it writes it into a file, which is read again. */
const optimized = (graph: Graph): Promise<Graph> =>
  inFolder(async (folder) => {
    const optimizedFile = join(folder, 'optimized.onnx');
    const program = await cpuEngine.compile(graph, { threads: 1, optimization: 'all', optimizedFile });
    await program.release();
    // All of it is read now: the file is gone when the weights are needed.
    return named(decodeGraph(await readFile(optimizedFile), { folder }));
  });

/** A fused graph as it runs, with what its nodes are for and what they put out on these feeds. */
export const subjectOf = async (fused: Graph, feeds: Feeds): Promise<Subject> => {
  const graph = await optimized(fused);
  return { graph, groups: groupsOf(graph), recorded: await recordRun(graph, feeds) };
};

const STORED = 'it computes in float: the 8 bits that the file holds become floats when the model is loaded';

const keptReason = (choice: Choice | undefined): string | null => {
  if (choice === undefined) return STORED;
  if ('kept' in choice) return choice.kept;
  return choice.form === 'linear' ? null : 'it makes the logits, whose inputs are not rounded';
};

/**
 * Products with weights as they are computed, and why those in float32 are: by what the stage decided that quantized the
 * model, or as it would decide without options.
 */
export const describeProducts = (
  { graph }: Subject,
  fused: Graph,
  decision: Decision | undefined,
): readonly ProfiledProduct[] => {
  const choices: Decision = decision ?? chooseWeights(fused, {});
  return productsOf(graph).map((product) => {
    const { node, weight, inner, columns, tensor, bits } = product;
    return {
      ...{ node: node.name, weight, inner, columns },
      dtype: bits === undefined ? tensor.dtype : storedIn(bits),
      perChannel: hasChannelScales(graph, product),
      zeros: zerosOf(product),
      kept: tensor.dtype === 'float32' ? keptReason(choices.get(weight)) : null,
    };
  });
};

/** Bytes of all weights of a graph, and its largest table that ids look up. */
export const storage = (
  graph: Graph,
): { readonly bytes: number; readonly table: { readonly name: string; readonly bytes: number } | null } => {
  const sizes = [...graph.weights.values()].map((tensor) => tensor.bytes.length);
  const tables = graph.nodes.flatMap((node) => {
    const name = tableOf(graph, node);
    return name === undefined ? [] : [{ name, bytes: graph.weights.get(name)?.bytes.length ?? 0 }];
  });
  const [table = null] = tables.toSorted((a, b) => b.bytes - a.bytes);
  return { bytes: sizes.reduce((sum, size) => sum + size, 0), table };
};
