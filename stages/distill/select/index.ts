import { committee } from './committee.ts';
import { disagreement } from './disagreement.ts';
import { random } from './random.ts';
import type { Selection } from './selection.ts';

/** Every way to choose among texts without labels; the first is the usual one. */
export const selections = [disagreement, committee, random] as const satisfies readonly Selection[];

/** The way of a name. */
export const selectionOf = (by: string): Selection => {
  const found = selections.find(({ name }) => name === by);
  if (found === undefined) throw new Error(`no way to choose texts is called ${by}`);
  return found;
};
