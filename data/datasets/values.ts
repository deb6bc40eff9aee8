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
