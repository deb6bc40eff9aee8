import type { Graph } from '../graph/graph.ts';
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
  /** Threads of one operator. */
  readonly threads: number;
  /** 'all' fuses what it can (inference); 'basic' leaves operators as they are (gradient checks); 'none' runs the graph as written. */
  readonly optimization?: 'none' | 'basic' | 'extended' | 'all';
  /**
   * How the values of a run are held. 'planned', the default and what clients have, lays them out as one block once their
   * shapes were seen, beside the pieces of the run before: twice the memory. 'pooled' keeps to the pieces, for training and
   * for inputs of many lengths. 'returned' copies no weights either and gives all back after every run: for a few passes
   * whose activations are many times the weights.
   */
  readonly memory?: 'planned' | 'pooled' | 'returned';
  /** File that the graph is written into as the engine runs it, after its own fusions. */
  readonly optimizedFile?: string;
  /** Start of the name of the file that gets the time of every node of every run when the program is released. */
  readonly profilePrefix?: string;
}

/** A compiled graph. Inputs and outputs go by value name. `release` is idempotent; sessions that are not released leak. */
export interface Program {
  /** `into` names outputs that are written into arrays the caller owns (no copy, no allocation). */
  run(feeds: Feeds, into?: Readonly<Record<string, HostTensor>>): Promise<Readonly<Record<string, HostTensor>>>;
  release(): Promise<void>;
}

/** Turns graphs into programs over buffers. ONNX bytes exist only inside the ONNX Runtime engine. */
export interface Engine {
  readonly name: string;
  compile(graph: Graph, options: CompileOptions): Promise<Program>;
}
