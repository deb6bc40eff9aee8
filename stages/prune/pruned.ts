import type { Json } from '../../ground/json.ts';
import type { Model } from '../../models/model.ts';

/** What a cut makes: the smaller model, and what the report says about it. */
export interface Pruned {
  readonly model: Model;
  readonly metrics: { readonly [key: string]: Json };
}
