/** Indices by the number of a layer: `{ "0": [1, 3] }`. */
export type UnitsByLayer = Readonly<Record<string, readonly number[]>>;

/**
 * Units of a graph by name: query heads of self-attention and of attention to another stream, feed-forward neurons (those of
 * several blocks of a layer counted one block after the other), and whole layers, all in the order in which they are computed.
 */
export interface Units {
  readonly heads?: UnitsByLayer;
  readonly crossHeads?: UnitsByLayer;
  readonly ffn?: UnitsByLayer;
  readonly layers?: readonly number[];
}

/** What every verb takes that reads a model and writes another. */
export interface RewriteOptions {
  /** Downloads nothing. DECANT_OFFLINE=1 says the same. */
  readonly offline?: boolean;
  readonly signal?: AbortSignal;
}

/** What a verb takes whose model stays one of floats. */
export interface FloatOptions extends RewriteOptions {
  /** Stores large weights in float16: half the file, read as the floats that everything still computes in. */
  readonly float16?: boolean;
}

/** How much of each layer is kept, or what goes by name. Units whose weights are smallest go first. */
export interface PruneOptions extends FloatOptions {
  /** A count, or a share such as '50%'. Heads that share their keys and values go together. */
  readonly keepHeads?: number | string;
  /** Neurons of each feed-forward block. */
  readonly keepFfn?: number | string;
  readonly keepLayers?: number | string;
  /** Exactly these, in place of counts; or a JSON file that names them. */
  readonly remove?: Units | string;
}

/** What was written, and how large. */
export interface Written {
  /** The file or folder. */
  readonly out: string;
  readonly parameters: { readonly before: number; readonly after: number };
  /** Of all weights. */
  readonly bytes: { readonly before: number; readonly after: number };
}

export interface PrunedGraph extends Written {
  readonly removed: Required<Units>;
}

export interface QuantizeOptions extends RewriteOptions {
  /** What weights are stored and computed in: int8 (where nobody says), uint8, fp16, q4, q4f16, q8-blocks, q2. */
  readonly format?: 'int8' | 'uint8' | 'fp16' | 'q4' | 'q4f16' | 'q8-blocks' | 'q2';
  /** Numbers that share a scale, in formats of blocks: 16, 32 (where nobody says), 64, 128 or 256. */
  readonly block?: number;
  /** Whether each block has a zero point of its own, in formats of blocks; true where nobody says. */
  readonly zeroPoint?: boolean;
  /** Names of weights that stay in float; `*` stands for any text. */
  readonly skip?: readonly string[];
  /** Matrices with fewer elements stay in float; 4096 where nobody says. */
  readonly minElements?: number;
}

/** What became of one float weight. */
export interface QuantizedWeight {
  readonly name: string;
  readonly dims: readonly number[];
  /** 'int8', 'int4', or what floats it stays with the reason. */
  readonly storage: 'int8' | 'int4' | 'int2' | 'float32' | 'float16';
  readonly reason?: string;
}

export interface QuantizedGraph extends Written {
  readonly format: string;
  /** Every matrix of the fused graph. */
  readonly weights: readonly QuantizedWeight[];
  readonly quantized: number;
  readonly kept: number;
}

export interface OptimizedGraph extends Written {
  readonly nodes: { readonly before: number; readonly after: number };
}

/** A tensor as it is fed and fetched. Numbers of int64 may be given as numbers. */
export interface TensorData {
  readonly dtype: string;
  readonly dims: readonly number[];
  readonly data: ArrayLike<number | bigint>;
}

/** What a model is fed, by the names of its inputs. */
export type Inputs = Readonly<Record<string, TensorData>>;

export interface GradientOptions {
  /** The output that the loss is made of; the first one of floats where nobody says. */
  readonly output?: string;
  /** What its elements are multiplied by, in their order; 1 each where nobody says. */
  readonly cotangent?: ArrayLike<number>;
  /** Threads of one operator; as many as the machine has processors where nobody says. */
  readonly threads?: number;
}

/** dL/dW by the name of the weight. */
export type Gradients = Readonly<Record<string, { readonly dims: readonly number[]; readonly data: Float32Array }>>;

export interface DoctorOptions {
  /** Inputs by name, for one shape or for several, in place of made ones; or a JSON file of them. */
  readonly inputs?: Inputs | readonly Inputs[] | string;
  /** Folder for the files that are made on the way. */
  readonly keep?: string;
  /** Threads of one operator; as many as the machine has processors where nobody says. */
  readonly threads?: number;
  /** Megabytes that the process may take; what its weights should need where nobody says. */
  readonly memory?: number;
  /** Seconds that one check may take; 600 where nobody says. */
  readonly timeout?: number;
  /** Downloads nothing. DECANT_OFFLINE=1 says the same. */
  readonly offline?: boolean;
  readonly signal?: AbortSignal;
}

/** One thing that was tried. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What was measured, where that is a number, and what it may be at most (at least, of a cosine). */
  readonly value: number | null;
  readonly limit: number | null;
  /** What was found, or what stopped it: node, operator and reason. */
  readonly why: string;
}

/** What decant can do with a graph. */
export interface Diagnosis {
  /** False where it cannot even be read. */
  readonly readable: boolean;
  readonly checks: readonly Check[];
}
