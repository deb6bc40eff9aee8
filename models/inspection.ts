/** What a model weighs: elements of its parameters, those that are not zero, and work for one text. */
export interface Figures {
  readonly parameters: number;
  readonly nonzero: number;
  /** Multiply-accumulates at batch 1 and the given length. */
  readonly macs: number;
}

/** A batch of texts of one length. */
export interface PassSize {
  readonly batch: number;
  readonly length: number;
}

/** Floating-point operations of a pass, by formula. */
export interface Work {
  /** Numbers in the matrices in front of the head. */
  readonly body: number;
  readonly forward: number;
  /** Of these, products of queries, keys and values. */
  readonly attention: number;
  readonly training: number;
}

export interface OperatorCount {
  /** With its domain where that is not the standard one. */
  readonly op: string;
  readonly count: number;
  readonly macs: number;
}

/** A Transformer's figures, layer by layer. */
export interface AnatomySummary {
  readonly layers: readonly {
    /** Query heads of self-attention, and of attention to another stream where there is any. */
    readonly heads: number;
    readonly crossHeads?: number;
    /** Heads of keys and values: fewer where groups of query heads share them. */
    readonly kvHeads: number;
    /** Channels of a head's queries and keys; 0 where that does not show. */
    readonly headWidth: number;
    /** Feed-forward neurons, and whether each is gated by another product. */
    readonly ffn: number;
    readonly gated: boolean;
    readonly inputWidth: number;
    readonly outputWidth: number;
    /** Other layers that lose heads or neurons with this one. */
    readonly sharedWith?: readonly number[];
  }[];
  /**
   * Embeddings, layers and head with the elements of the parameters that each uses, shared ones in each: what `freeze` and
   * learning rates mean by these names.
   */
  readonly parts: readonly { readonly name: string; readonly parameters: number }[];
  /** Width of the residual stream behind the last layer. */
  readonly hidden: number;
  readonly vocabulary?: number;
  readonly embedding?: number;
}

/** What can be said about any ONNX graph. */
export interface Inspection extends Figures {
  /** Tokens of the text that `macs` counts. */
  readonly length: number;
  readonly inputs: readonly { readonly name: string; readonly type: string }[];
  readonly outputs: readonly { readonly name: string; readonly type: string }[];
  readonly nodes: number;
  /** Most work first. */
  readonly operators: readonly OperatorCount[];
  readonly opsets: Readonly<Record<string, number>>;
  /** Bytes of all weights, external data included, and the same by element type. */
  readonly bytes: number;
  readonly bytesByType: Readonly<Record<string, number>>;
  /** Operators without a record: their work is missing from `macs`. */
  readonly unknown: readonly string[];
  /** Absent where neither attention nor feed-forward neurons were found. */
  readonly anatomy?: AnatomySummary;
}

/** What a machine does in a second: operations of a large product, bytes that one row's product reads, and activations of elements. */
export interface Rates {
  readonly flops: number;
  readonly bytes: number;
  readonly elements: number;
}
