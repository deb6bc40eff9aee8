/** JSON that a step leaves beside its artifacts: losses, curves, counts. It lands in the report. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type Metrics = Readonly<Record<string, Json>>;
