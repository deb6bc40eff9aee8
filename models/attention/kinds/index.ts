import type { AttentionKind } from '../kind.ts';
import { axial } from './axial.ts';
import { bigbird } from './bigbird.ts';
import { block } from './block.ts';
import { globalWindow } from './global-window.ts';
import { hierarchical } from './hierarchical.ts';
import { linear } from './linear.ts';
import { linformer } from './linformer.ts';
import { performer } from './performer.ts';
import { pooled } from './pooled.ts';
import { window } from './window.ts';

/** Every way to attend, in the order in which help lists them. */
export const kinds: readonly [AttentionKind, ...AttentionKind[]] = [
  window,
  block,
  globalWindow,
  bigbird,
  axial,
  hierarchical,
  pooled,
  linformer,
  linear,
  performer,
];

export const kindOf = (name: string): AttentionKind => {
  const kind = kinds.find((one) => one.name === name);
  if (kind === undefined) throw new RangeError(`no kind of attention is called '${name}'`);
  return kind;
};
