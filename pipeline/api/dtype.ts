/** What the file of a folder computes in, as transformers.js calls it, and how the name of the file ends. */
export const dtypeEndings = {
  ...{ fp32: '', q8: '_quantized', fp16: '_fp16', int8: '_int8', uint8: '_uint8' },
  ...{ q4: '_q4', q4f16: '_q4f16', bnb4: '_bnb4' },
} as const;

export type Dtype = keyof typeof dtypeEndings;

export const dtypes: readonly Dtype[] = Object.keys(dtypeEndings).filter((name): name is Dtype => name in dtypeEndings);
