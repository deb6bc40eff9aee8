/** What steps of training compute in: float32, or float16 where that is enough and float32 where not. The usual one first. */
export const precisions = ['fp32', 'fp16'] as const;
export type Precision = (typeof precisions)[number];

/** Why an engine does not train in float16. */
export const noFloat16 = (engine: string, device: string): string =>
  `the engine "${engine}" does not compute in float16 on ${device}; leave precision out, or name an engine that does`;
