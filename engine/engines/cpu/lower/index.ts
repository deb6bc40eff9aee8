import type { Graph } from '../../../../graph/graph.ts';
import { soonest } from '../../../order.ts';
import { distribution, geluAgain } from './gelu.ts';
import { linear } from './linear.ts';
import { lastFirst } from './order.ts';
import { rowSums } from './rows.ts';
import { products } from './transposes.ts';
import { type Lowering, walk } from './walk.ts';

/** Attributes of today's operators became inputs with this operator set: graphs of older ones run as they are. */
const SINCE = 13;

/** Each is made anew for a graph, since some share what they emitted. */
const lowerings: readonly (() => Lowering)[] = [() => geluAgain, () => distribution, products, () => linear, rowSums];

/** A training step in the words in which ONNX Runtime computes it fastest on a CPU; equal up to rounding. */
export const lowered = (graph: Graph): Graph =>
  (graph.opsets[''] ?? 1) < SINCE
    ? graph
    : lastFirst(lowerings.reduce((step, make) => walk(step, make()), soonest(graph)));
