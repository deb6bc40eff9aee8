import { deitProcessor } from './deit.ts';
import type { ImageProcessorKind } from './kind.ts';
import { vitProcessor } from './vit.ts';

/** Every image processor that folders may name; the first is taken where one names none. */
export const imageProcessors: readonly [ImageProcessorKind, ...ImageProcessorKind[]] = [vitProcessor, deitProcessor];
