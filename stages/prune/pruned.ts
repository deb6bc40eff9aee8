import type { Model } from '../../models/model.ts';
import type { Json } from '../stage.ts';

/** What a cut makes: the smaller model, and what the report says about it. */
export interface Pruned {
  readonly model: Model;
  readonly metrics: { readonly [key: string]: Json };
}
