/** Every n-th of some items that have `count` parts together, so that at most about `most` are left: files are often sorted. */
export const spaced = <T>(items: readonly T[], count: number, most: number): readonly T[] => {
  const step = Math.ceil(count / most);
  return step <= 1 ? items : items.filter((_, i) => i % step === 0);
};
