import type { Engine } from '../../engine.ts';
import { tensorflowEngine } from './engine.ts';
import { load } from './load.ts';

let opened: Engine | undefined;

/** The one engine of this process. */
export const open = (): Engine => {
  if (opened !== undefined) return opened;
  const { tf, ...facts } = load();
  opened = tensorflowEngine(tf, facts);
  return opened;
};
