/** Places of `count` of so many, spread evenly over all of them. */
export const spreadOver = (all: number, count: number): Int32Array => {
  const taken = Math.min(all, count);
  return Int32Array.from({ length: taken }, (_, i) => Math.floor((i * all) / taken));
};
