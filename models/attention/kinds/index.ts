import type { AttentionKind } from '../kind.ts';
import { block } from './block.ts';
import { linear } from './linear.ts';
import { pooled } from './pooled.ts';
import { window } from './window.ts';

/** Every way to attend, in the order in which help lists them. */
export const kinds: readonly AttentionKind[] = [window, block, pooled, linear];
