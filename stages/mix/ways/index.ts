import { best } from './best.ts';
import { mean } from './mean.ts';
import type { Way } from './way.ts';

/** Every way to make one teacher of several; the first is the usual one. */
export const ways: readonly [Way, ...Way[]] = [mean, best];
