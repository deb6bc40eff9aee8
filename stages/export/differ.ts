export const differ = (part: string): string =>
  `the models of a folder differ in ${part}: they must come from one model`;
