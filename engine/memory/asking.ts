import { weightBytes } from '../../graph/codec/index.ts';
import type { Graph } from '../../graph/graph.ts';
import { bytesOfValues, peakOfValues } from '../../graph/liveness.ts';
import { sitesOf } from '../../graph/sites.ts';
import { hiddenScores, matrixBytes } from '../../models/work.ts';

/** What a session of many nodes takes beside weights and values, beyond one of a single node. */
const SESSION = 3e6;
/** Of the matrices, what is there once more when all are kept in the order in which products read them. */
const PACKED = 0.4;
/** What a runtime takes for values beyond what these hold, in the first run of a session. */
const PIECES = 2;
/** How often what is fed lies in memory besides: as it came, and as it is held. What is given back is there once more. */
const FED = 2;
const FLOAT = 4;

/** Bytes of the largest table, which is there twice while it is read. */
const largestTable = (graph: Graph): number =>
  sitesOf(graph).reduce(
    (most, { use, weight }) =>
      use.kind === 'lookup' ? Math.max(most, graph.weights.get(weight)?.bytes.length ?? 0) : most,
    0,
  );

/**
 * Bytes that a process takes to load a graph and run it once, beyond what the bare runtime takes: all weights and a part of the
 * matrices once more, and what is alive at once between its nodes and in them; or what reading its weights takes, if that is more.
 * The factors are those of ONNX Runtime on six shapes (docs/decisions/estimates.md).
 */
export const askingNeed = (graph: Graph, symbols: Readonly<Record<string, number>>): number => {
  const scores = hiddenScores(graph, symbols);
  const alive = peakOfValues(graph, new Set(), { working: (node) => FLOAT * scores(node) })(symbols);
  const beside = FED * bytesOfValues(graph, graph.inputs, symbols) + bytesOfValues(graph, graph.outputs, symbols);
  const running = PACKED * matrixBytes(graph) + PIECES * alive + beside;
  return SESSION + weightBytes(graph) + Math.max(largestTable(graph), running);
};
