import type { Json } from './json.ts';

type Known<T> = { [K in keyof T as string extends K ? never : number extends K ? never : K]: T[K] };

/**
 * A type as a schema gives it, read only all the way down. Keys that a schema lets pass without knowing them are not there:
 * whoever names one has mistyped another.
 */
export type Immutable<T> = [Json] extends [T]
  ? T
  : T extends readonly unknown[]
    ? { readonly [K in keyof T]: Immutable<T[K]> }
    : T extends object
      ? Fields<T>
      : T;

/** A mapping of any keys stays one. */
type Fields<T> = keyof Known<T> extends never
  ? { readonly [K in keyof T]: Immutable<T[K]> }
  : { readonly [K in keyof Known<T>]: Immutable<Known<T>[K]> };
