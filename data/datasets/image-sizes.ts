import { dataError } from '../errors.ts';
import { sizeText } from '../images/size.ts';
import type { Candidate } from './assemble.ts';

const sizeOf = ({ pixels }: Candidate): string => (pixels === undefined ? 'no pixels' : sizeText(pixels));

/** A model reads images of one size: of those of a dataset all have it, or the first that has another is told. */
export const expectOneSize = (candidates: readonly Candidate[]): void => {
  const [first] = candidates;
  if (first?.pixels === undefined) return;
  const expected = sizeOf(first);
  const other = candidates.find((candidate) => sizeOf(candidate) !== expected);
  if (other === undefined) return;
  const count = candidates.filter((candidate) => sizeOf(candidate) !== expected).length;
  const more = count === 1 ? '' : `, and so ${count === 2 ? 'has one other' : `have ${count - 1} others`}`;
  throw dataError(
    'other-size',
    `${other.at ?? other.text} has ${sizeOf(other)}, ${first.at ?? first.text} ${expected}${more}: scale and convert all images to one size`,
  );
};
