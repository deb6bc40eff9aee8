import { isUserError, messageOf } from '../../../ground/errors.ts';
import { type Loaded, load } from './load.ts';

/** Versions and device: a part of every key. */
export type Facts = Omit<Loaded, 'tf'>;

/** What a process of its own found out about the library. */
export type Probed = Facts | { readonly missing: string; readonly install: string };

const probed = (): Probed => {
  try {
    const { tf: _, ...rest } = load();
    return rest;
  } catch (error) {
    const { what = messageOf(error), install = '' } = isUserError(error) ? error.facts : {};
    return { missing: String(what), install: String(install) };
  }
};

process.once('message', () => process.send?.(probed(), () => process.disconnect?.()));
