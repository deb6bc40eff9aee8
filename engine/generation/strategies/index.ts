import { repetition } from './repetition.ts';
import { temperature } from './temperature.ts';
import { topK } from './top-k.ts';
import { topP } from './top-p.ts';

/** Every way to change what is written next, in the order in which they are applied. */
export const strategies = [repetition, temperature, topK, topP] as const;

export type StrategyName = (typeof strategies)[number]['option'];

/** Numbers for the strategies that are asked for. */
export type Strategies = Readonly<Partial<Record<StrategyName, number>>>;
