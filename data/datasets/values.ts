/** What a value is, as messages say it. */
export const kindOfValue = (value: unknown): string =>
  value === null
    ? 'null'
    : Array.isArray(value)
      ? 'a list'
      : typeof value === 'object'
        ? 'an object'
        : `a ${typeof value}`;

/** Lists and objects are no classes. */
export const isScalar = (value: unknown): value is string | number | bigint | boolean =>
  ['string', 'number', 'bigint', 'boolean'].includes(typeof value);

/** A list or an object. */
export const isNested = (value: unknown): boolean => typeof value === 'object' && value !== null;

/** A list as a format has it. */
export const arrayIn = (value: unknown): readonly unknown[] | undefined => {
  if (Array.isArray(value)) return value;
  return ArrayBuffer.isView(value) && !(value instanceof DataView) ? Array.from(Object(value)) : undefined;
};

/** A list in a cell: one of the format, or JSON in a text. */
export const listIn = (value: unknown): readonly unknown[] | undefined => {
  if (typeof value !== 'string') return arrayIn(value);
  if (!/^\s*\[.*\]\s*$/s.test(value)) return undefined;
  try {
    const list: unknown = JSON.parse(value);
    return Array.isArray(list) ? list : undefined;
  } catch {
    return undefined;
  }
};
