import { GraphBuilder } from '../../graph/builder.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import { modelError, reworded } from '../../ground/errors.ts';
import type { ModelInfo } from '../../models/model.ts';
import type { Encoded } from '../encoded.ts';
import type { Engine, Feeds } from '../engine.ts';
import { feedsFor, fitted } from '../feeds.ts';

/** A model that is watched while it reads. */
export interface Watching {
  /** The graph as it will be changed: what is watched are values of it. */
  readonly graph: Graph;
  readonly info: ModelInfo;
  readonly engine: Engine;
  readonly threads: number;
  readonly signal: AbortSignal;
}

/** A value as one text made it, (rows, width): padding never counts, since each text runs alone. */
export interface Seen {
  readonly data: Float32Array;
  readonly rows: number;
  readonly width: number;
}

/** What is made of the values of a text. Says whether it wants more texts. */
export type Visit = (seen: ReadonlyMap<Value, Seen>, text: number) => boolean | Promise<boolean>;

/** How something is made of values. */
interface Gathering<T> {
  begin(first: Seen): T;
  add(known: T, seen: Seen, where: { readonly value: Value; readonly text: number }): void | Promise<void>;
  onText(done: number, total: number): void;
}

const seenOf = (value: Value, text: number, tensor: { dims: readonly number[]; data: unknown } | undefined): Seen => {
  const width = tensor?.dims.at(-1) ?? 0;
  if (!(tensor?.data instanceof Float32Array) || width === 0) throw modelError(`'${value}' is no float32 matrix`);
  if (!tensor.data.every(Number.isFinite)) {
    throw modelError(`calibration: text ${text + 1} makes '${value}' infinite or no number; a range cannot be found`);
  }
  return { data: tensor.data, rows: tensor.data.length / width, width };
};

/** Runs a graph over texts, one at a time, and shows outputs of it. */
const shown = async (
  { graph, info, engine, threads, signal }: Watching,
  examples: readonly Encoded[],
  visit: (outputs: Feeds, text: number) => boolean | Promise<boolean>,
): Promise<void> => {
  const program = await engine.compile(graph, { threads, memory: 'pooled' });
  try {
    for (const [text, example] of examples.entries()) {
      signal.throwIfAborted();
      const batch = fitted(info, { rows: Int32Array.of(0), length: example.length });
      const outputs = await program.run(feedsFor(info, [example], batch)).catch((error: unknown) => {
        throw reworded(error, (reason) =>
          modelError(`the model fails on text ${text + 1}: ${reason}`, { cause: error }),
        );
      });
      if (!(await visit(outputs, text))) return;
    }
  } finally {
    await program.release();
  }
};

const withOutputs = (graph: Graph, values: readonly Value[]): Graph =>
  GraphBuilder.from(graph).freeze([...new Set([...graph.outputs, ...values])]);

/**
 * Runs a graph over texts, one at a time, and shows what some of its values are. Nothing is kept: memory does not grow with
 * the number of texts.
 */
export const observe = (
  watching: Watching,
  values: readonly Value[],
  examples: readonly Encoded[],
  visit: Visit,
): Promise<void> =>
  shown({ ...watching, graph: withOutputs(watching.graph, values) }, examples, (outputs, text) =>
    visit(new Map(values.map((value) => [value, seenOf(value, text, outputs[value])])), text),
  );

/** Makes something of each value, text by text: begun by the first text, added to by all. */
export const gathered = async <T>(
  watching: Watching,
  values: readonly Value[],
  examples: readonly Encoded[],
  { begin, add, onText }: Gathering<T>,
): Promise<ReadonlyMap<Value, T>> => {
  const found = new Map<Value, T>();
  await observe(watching, values, examples, async (seen, text) => {
    for (const [value, own] of seen) {
      const known = found.get(value) ?? begin(own);
      found.set(value, known);
      await add(known, own, { value, text });
    }
    onText(text + 1, examples.length);
    return true;
  });
  return found;
};

/** Largest magnitudes of values over texts; the runtime finds them, so that values stay where they are. */
export const observeRanges = async (
  watching: Watching,
  values: readonly Value[],
  examples: readonly Encoded[],
  onText: (done: number, total: number) => void,
): Promise<ReadonlyMap<Value, number>> => {
  const builder = GraphBuilder.from(watching.graph);
  const largest = new Map(
    values.map((value) => [value, builder.op('ReduceMax', [builder.op('Abs', [value])], { keepdims: 0 })] as const),
  );
  const graph = builder.freeze([...watching.graph.outputs, ...largest.values()]);
  const peaks = new Map<Value, number>();
  await shown({ ...watching, graph }, examples, (outputs, text) => {
    for (const [value, name] of largest) {
      const peak = Number(outputs[name]?.data[0] ?? 0);
      if (Number.isNaN(peak)) throw modelError(`calibration: text ${text + 1} makes '${value}' no number`);
      peaks.set(value, Math.max(peaks.get(value) ?? 0, peak));
    }
    onText(text + 1, examples.length);
    return true;
  });
  return peaks;
};
