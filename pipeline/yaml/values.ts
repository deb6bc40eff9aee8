import { stringify } from 'yaml';

/** A name on one line of YAML, in lists too: plain where that says the same, else as JSON, which YAML reads. */
export const inline = (value: string): string =>
  stringify(value).trim() === value && !/[\n,[\]{}]/.test(value) ? value : JSON.stringify(value);

/** How a value reads in a message: short, with its kind where the spelling does not tell. */
export const describeValue = (value: unknown): string => {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value === 'string') return value.length > 60 ? `"${value.slice(0, 57)}..."` : JSON.stringify(value);
  return String(value);
};

/** The value at the end of a path of plain data. */
export const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (at, key) =>
      typeof at === 'object' && at !== null ? Reflect.get(at, typeof key === 'number' ? String(key) : key) : undefined,
    value,
  );

/** `a`, `a or b`, `a, b or c`. */
export const orList = (items: readonly string[]): string =>
  items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} or ${items.at(-1)}`;
