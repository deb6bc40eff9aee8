import type { Graph, Value } from '../graph/graph.ts';
import type { DType, TypedArray } from '../graph/tensor.ts';

/** A tensor in host memory, as it is fed to and fetched from a program. */
export interface HostTensor {
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly data: TypedArray;
}

/** What a program is given, by value name. */
export type Feeds = Readonly<Record<string, HostTensor>>;

export interface CompileOptions {
  /** Threads of one operator, on engines that compute on the host. */
  readonly threads: number;
  /** 'all' fuses what it can (inference); 'basic' leaves operators as they are (gradient checks); 'none' runs the graph as written. */
  readonly optimization?: 'none' | 'basic' | 'all';
  /**
   * How the values of a run are held. 'planned', the default and what clients have, lays them out as one block once their
   * shapes were seen, beside the pieces of the run before: twice the memory. 'pooled' keeps to the pieces, for training and
   * for inputs of many lengths. 'returned' copies no weights either and gives all back after every run: for a few passes
   * whose activations are many times the weights.
   */
  readonly memory?: 'planned' | 'pooled' | 'returned';
  /** The graph is a training step: the engine may put it into the words that it computes fastest, equal up to rounding. */
  readonly training?: boolean;
  /**
   * Equal nodes stay apart: what is computed once more on purpose is not taken from where it was computed before, and no memory
   * waits for it meanwhile.
   */
  readonly repeats?: boolean;
  /** File that the graph is written into as the engine runs it, after its own fusions. */
  readonly optimizedFile?: string;
  /** Outputs that buffers will take (`renew`): they stay on the device. */
  readonly stays?: readonly Value[];
  /** 'refused' where a device has no kernel for an operator: compiling fails, where the CPU would take it over otherwise. */
  readonly fallback?: 'allowed' | 'refused';
  /** Start of the name of the file that gets the time of every node of every run when the program is released. */
  readonly profilePrefix?: string;
}

/**
 * A tensor that stays on the device from run to run. Programs of one engine share it. `release` is idempotent; what is not
 * released stays until the process ends.
 */
export interface Buffer {
  readonly dtype: DType;
  readonly dims: readonly number[];
  write(data: HostTensor): Promise<void>;
  /** A copy of what it holds now, in host memory. */
  read(): Promise<HostTensor>;
  release(): void;
}

/** A compiled graph. Inputs and outputs go by value name. `release` is idempotent; sessions that are not released leak. */
export interface Program {
  /** From now on every run takes this input from the buffer, and it is fed no more. */
  bind(input: Value, buffer: Buffer): void;
  /** From now on what a run makes as this output takes the place of what the buffer held, and is fetched no more. */
  renew(output: Value, buffer: Buffer): void;
  /**
   * `into` names outputs that are written into arrays the caller owns (no copy, no allocation). `accept` sees what was
   * fetched before any buffer is renewed: where it says no, all of them keep what they held.
   */
  run(feeds: Feeds, into?: Readonly<Record<string, HostTensor>>, accept?: (fetched: Feeds) => boolean): Promise<Feeds>;
  release(): Promise<void>;
}

/** How a device computes in float16. */
export interface Float16 {
  /** Most numbers that its products may add up, where they do so in float16; infinite where they do in float32. */
  readonly longestSum: number;
}

/** What a device can, and what its results depend on. */
interface Target {
  /** As files, reports and the command line write it: a name of engines/index.ts. */
  readonly name: string;
  /** Versions, driver and device: part of the key of everything that is computed there. */
  readonly facts: Readonly<Record<string, string>>;
  /** Where an optimizer moves weights: by kernels over arrays of the host, or as nodes of the step's graph. */
  readonly optimizer: 'host' | 'graph';
  /** Where values do not lie in memory of the host: how much the device has, as far as its driver tells. */
  readonly ownMemory?: { readonly bytes?: number };
  /** Left out where it has none. */
  readonly float16?: Float16 | undefined;
  /** Operators without a kernel there, of a graph as it would run; empty where all of it stays on the device. */
  lacking(graph: Graph): readonly string[];
  /** Whether the CPU computes what the device has no kernel for; its profiles name who computed each node. */
  readonly fallsBack?: true;
}

/** Bytes that went over the border between host and device, in both directions. */
export interface Moved {
  readonly up: number;
  readonly down: number;
}

/** Turns graphs into programs over buffers. What a runtime reads (ONNX bytes, tensors of a library) exists only inside. */
export interface Engine {
  readonly target: Target;
  compile(graph: Graph, options: CompileOptions): Promise<Program>;
  buffer(data: HostTensor): Promise<Buffer>;
  /** What feeds, fetches, buffers' writes and reads came to since the engine was opened. */
  moved(): Moved;
}
