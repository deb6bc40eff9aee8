import { absorb, bare } from '../../engine/absorb.ts';
import type { HostTensor } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import type { LossInput } from '../../engine/losses/loss.ts';
import type { GraphBuilder } from '../../graph/builder.ts';
import { type Graph, type Value, value } from '../../graph/graph.ts';
import { modelError } from '../../ground/errors.ts';
import type { Subject } from './criteria/criterion.ts';
import type { Batch } from './examples.ts';

/** A model without its dropout, in a builder of its own; `resolve` tells under which name a value goes on. */
export const inferenceOf = (
  { graph }: Subject,
  purpose: string,
): { readonly builder: GraphBuilder; resolve(name: Value): Value } => {
  const builder = bare(graph, purpose);
  const inputs = new Map(graph.inputs.map((input) => [input, input]));
  return { builder, resolve: absorb(builder, graph, { inputs, dropout: 'off' }).resolve };
};

type Tensors = Readonly<Record<string, HostTensor>>;

/** Runs a graph on every batch of labelled texts; `inputs` are those that the model itself does not have. */
export const forEachBatch = async (
  subject: Subject,
  { graph, inputs }: { readonly graph: Graph; readonly inputs: readonly LossInput[] },
  see: (outputs: Tensors, batch: Batch) => void,
): Promise<void> => {
  const { threads, signal } = subject;
  const program = await cpuEngine.compile(graph, { threads, optimization: 'all', memory: 'returned' });
  try {
    const batches = await subject.batches();
    for (const [i, batch] of batches.entries()) {
      signal.throwIfAborted();
      const asked = inputs.map(({ name, feed }) => [name, feed(batch.step)] as const);
      const feeds = { ...batch.feeds, ...Object.fromEntries(asked) };
      const read = Object.entries(feeds).filter(([name]) => graph.inputs.includes(value(name)));
      see(await program.run(Object.fromEntries(read)), batch);
      subject.progress(i + 1, batches.length);
    }
  } finally {
    await program.release();
  }
};

export const floatsOf = (tensor: HostTensor | undefined): Float32Array => {
  if (tensor?.data instanceof Float32Array) return tensor.data;
  throw modelError(`expected float32 activations, found ${tensor?.dtype ?? 'none'}`);
};
