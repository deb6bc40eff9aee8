import { isUserError, messageOf } from '../../../ground/errors.ts';
import { load } from './load.ts';

/** What a process of its own found out about the library. */
export type Probed =
  | { readonly package: string; readonly tensorflow: string; readonly device: 'CPU' | 'GPU' }
  | { readonly missing: string; readonly install: string };

const probed = (): Probed => {
  try {
    const { tf: _, ...rest } = load();
    return rest;
  } catch (error) {
    const { what = messageOf(error), install = '' } = isUserError(error) ? error.facts : {};
    return { missing: String(what), install: String(install) };
  }
};

process.send?.(probed(), () => process.disconnect?.());
