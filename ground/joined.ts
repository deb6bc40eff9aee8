const put = <All extends Float32Array | Float64Array>(
  make: (length: number) => All,
  parts: readonly ArrayLike<number>[],
): All => {
  const all = make(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

/** Numbers of several arrays, one after the other. */
export const joinedFloats = (parts: readonly ArrayLike<number>[]): Float32Array<ArrayBuffer> =>
  put((length) => new Float32Array(length), parts);

/** The same with all their digits. */
export const joinedDoubles = (parts: readonly ArrayLike<number>[]): Float64Array<ArrayBuffer> =>
  put((length) => new Float64Array(length), parts);
