import type { FormatName } from '../../../graph/quantize/formats/index.ts';
import type { QuantizationReport } from '../../../ground/reported/quantization.ts';
import type { DataOptions } from './models.ts';

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

/** Which weights become zeros, by the options of the prune stage; some saliencies look at the texts of `data`, which need no labels. */
interface ZeroOptions extends Partial<Omit<DataOptions, 'label'>> {
  /** Share of zeros, as 0.5 or '50%'. */
  readonly sparsity?: number | string;
  /** Where they may stand: 'free' (where nobody says), 'N:M' as '2:4', or blocks as '4x1'. */
  readonly pattern?: string;
  /** By what they are chosen: magnitude (where nobody says), random, wanda or sparsegpt. */
  readonly saliency?: string;
  /** Texts that are looked at; 256 where nobody says. */
  readonly calibration?: number;
  /** Threads of one operator; as many as the machine has processors where nobody says. */
  readonly threads?: number;
}

/** How much of each layer is kept, what goes by name, or which weights become zeros. Units whose weights are smallest go first. */
export interface PruneOptions extends FloatOptions, ZeroOptions {
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
  /** Where weights became zeros: shares of the matrices that they were chosen in, and of all parameters. */
  readonly zeros?: {
    readonly pattern: string;
    readonly saliency: string;
    readonly matrices: number;
    readonly model: number;
  };
}

/** Texts that activations are looked at by, and what a file may take or lose. */
export interface CalibrationOptions extends Partial<DataOptions> {
  /** Texts that are read to see what activations are like; 256 where nobody says. */
  readonly calibration?: number;
  /** Bytes that the file may take, as 16MB: weights that lose most by few bits get more. */
  readonly budget?: string;
  /**
   * What the file may lose of the metric of the model's task, with confidence, on labelled texts that nothing was chosen by: points
   * as 0.5pt, or a number in the unit of a metric that has no points.
   */
  readonly maxDrop?: string | number;
  /** Threads of one operator; as many as the machine has processors where nobody says. */
  readonly threads?: number;
}

/** Without `data` weights are rounded by themselves; with texts by what the model does on them, as the quantize stage does. */
export interface QuantizeOptions extends RewriteOptions, CalibrationOptions {
  /** What weights are stored and computed in: the first of `quantizeFormats` where nobody says. */
  readonly format?: FormatName;
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
  /** What texts told, where there were some. */
  readonly calibrated?: Calibrated;
}

/** What a model was seen to do on texts. */
export interface Calibrated {
  /** Texts that activations were looked at by. */
  readonly texts: number;
  /** Cosine between the answers of the two models, on token ids drawn at random. */
  readonly cosine: { readonly mean: number; readonly least: number };
  /** How the bits were spread, where a budget was given: as report.json has it. */
  readonly budget?: NonNullable<QuantizationReport['budget']>;
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
