import { searched } from '../../../graph/quantize/nearest.ts';
import type { Rounding } from './rounding.ts';

/** Each number for itself. */
export const nearest: Rounding = {
  name: 'nearest',
  summary: 'each number for itself, by the range of its block that errs least',
  readsInputs: false,
  rows: searched,
};
