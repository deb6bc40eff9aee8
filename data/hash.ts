import { createHash } from 'node:crypto';

/** Three independent numbers in [0, 1) that depend on nothing but the text. */
export interface TextDraw {
  /** Decides the split. */
  readonly split: number;
  /** Decides which texts `limit` keeps: the smallest. */
  readonly subset: number;
  /** Decides which training texts keep their labels: the smallest. */
  readonly labelled: number;
}

const BYTES = 6;
const RANGE = 2 ** (8 * BYTES);

/** Hashes a text, so that membership of a split survives reordering, additions and other seeds. */
export const drawsOf = (text: string): TextDraw => {
  const digest = createHash('sha256').update(text).digest();
  const draw = (index: number): number => digest.readUIntBE(index * BYTES, BYTES) / RANGE;
  return { split: draw(0), subset: draw(1), labelled: draw(2) };
};
