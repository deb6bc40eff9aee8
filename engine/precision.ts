/** What steps of training compute in: float32, or float16 where that is enough and float32 where not. The usual one first. */
export const precisions = ['fp32', 'fp16'] as const;
export type Precision = (typeof precisions)[number];

/** Why nothing is chosen for float16. */
export const chosenInFloat32 =
  "engine: auto compares engines by the CPU's losses, which are in float32; name the engine that is to compute in float16";

/** Why an engine does not train in float16. */
export const noFloat16 = (engine: string, device: string): string =>
  `the engine "${engine}" does not compute in float16 on ${device}; leave precision out, or name an engine that does`;
