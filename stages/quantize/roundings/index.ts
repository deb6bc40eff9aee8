/** How matrices may be rounded to blocks of few bits. */
export const roundings = [
  { name: 'gptq', summary: 'input by input, what each errs by being made up for by those that follow' },
  { name: 'nearest', summary: 'each number for itself, by the range of its block that errs least' },
] as const;
