import { gptq } from './gptq.ts';
import type { Seeing } from './rounding.ts';

/** The scales of awq, and what each number errs by made up for as gptq does. */
export const awqGptq: Seeing = {
  ...gptq,
  name: 'awq-gptq',
  summary: 'the scales of awq, then gptq: the nearest, for twice the time',
  scales: true,
};
