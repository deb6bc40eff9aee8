const numeric = /^-?\d+$/;

/** The order of classes that nobody put in one: by their names, whole numbers by value. */
export const classOrder = (labels: ReadonlySet<string>): readonly string[] =>
  [...labels].every((label) => numeric.test(label))
    ? [...labels].sort((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1))
    : [...labels].sort();
