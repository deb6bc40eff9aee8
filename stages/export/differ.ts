export const differ = (part: string): string =>
  `the fp32 and q8 models differ in ${part}: they must come from one model`;
