/**
 * Lengths that two texts are cut to, longest first, as Python's tokenizers do it; texts that fit stay whole. The library's own
 * truncation gives an odd token to the second text where Python gives it to the longer one (0.23.2 beside 0.23.3).
 */
const fitted = (first: number, second: number, room: number): readonly [number, number] => {
  if (first + second <= room) return [first, second];
  const shorter = Math.min(first, second);
  const both = Math.floor(room / 2);
  const [less, more] = room - shorter >= shorter ? [shorter, room - shorter] : [both, room - both];
  return first > second ? [more, less] : [less, more];
};

/**
 * The tokens of a text or pair that stay where it is cut to a length, given which text each is of: special tokens are of none
 * and stay, as long as they fit themselves.
 */
export const keptTokens = (sequences: readonly (number | null | undefined)[], maxLength: number): readonly number[] => {
  const count = (text: number): number => sequences.reduce<number>((sum, one) => sum + Number(one === text), 0);
  const [first, second] = [count(0), count(1)];
  const left = [...fitted(first, second, Math.max(0, maxLength - (sequences.length - first - second)))];
  const kept: number[] = [];
  sequences.forEach((text, at) => {
    if (text == null || (left[text] ?? 0) > 0) kept.push(at);
    if (text != null) left[text] = (left[text] ?? 0) - 1;
  });
  return kept.slice(-maxLength);
};
