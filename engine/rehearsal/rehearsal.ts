import { askModule, moduleBeside } from '../../data/process.ts';

/** Sizes that every model has. */
interface Body {
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly headWidth: number;
  readonly ffn: number;
}

/** What reads texts from both sides. */
export interface EncoderSize extends Body {
  readonly kind: 'encoder';
  /** Width of the token embeddings. */
  readonly embedding: number;
  readonly vocabulary: number;
  readonly maxLength: number;
  readonly classes: number;
}

/** What writes texts: every position is answered by scores of the whole vocabulary. */
export interface DecoderSize extends Body {
  readonly kind: 'decoder';
  readonly kvHeads: number;
  readonly vocabulary: number;
  readonly maxLength: number;
  readonly tied: boolean;
}

/** What reads images as patches. */
export interface ImageSize extends Body {
  readonly kind: 'images';
  /** Edge of a patch, and the images. */
  readonly patch: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly classes: number;
}

/** What decides how long a model takes and how much memory it needs. */
export type ModelSize = EncoderSize | DecoderSize | ImageSize;

/** A model that is to be tried before there is one. */
export interface Rehearsal {
  readonly size: ModelSize;
  /** Positions of examples, as they come in the data. */
  readonly lengths: readonly number[];
  /** Examples of one pass where it is to be trained; null where it is only asked. */
  readonly batch: number | null;
  /** Whether layers are computed once more in the backward pass. */
  readonly recompute?: boolean | undefined;
  readonly threads: number;
  /** Bytes that may be taken. */
  readonly room: number;
}

/** What an untrained model of this size took on this machine. */
export interface Rehearsed {
  /** Seconds for one example: in updates, asked with others, and asked alone. */
  readonly trained: number | null;
  readonly asked: number;
  readonly alone: number;
  /** Seconds until it trains, and until it can be asked. */
  readonly toTrain: number;
  readonly toAsk: number;
  /** Seconds for a byte of weights that is compressed both ways. */
  readonly compressing: number;
  /** Bytes that a process takes that trains it, or asks it. */
  readonly training: number | null;
  readonly asking: number;
}

export interface Question {
  readonly rehearsal: Rehearsal;
}

const SECONDS = 120;

const isRehearsed = (answer: unknown): answer is Rehearsed =>
  typeof answer === 'object' && answer !== null && 'asked' in answer;

/** Tries a model in a process of its own; undefined where that ends without an answer, as for want of memory. */
export const rehearse = async (rehearsal: Rehearsal, signal?: AbortSignal): Promise<Rehearsed | undefined> => {
  const question: Question = { rehearsal };
  const entry = moduleBeside(import.meta.url, 'process');
  const { answer } = await askModule(entry, question, {
    seconds: SECONDS,
    ...(signal === undefined ? {} : { signal }),
  });
  return isRehearsed(answer) ? answer : undefined;
};
