import { endings, type Precision } from '../../models/precision.ts';

/** What the file of a folder computes in, as transformers.js calls it, and how the name of the file ends. */
export type Dtype = Precision | 'int8' | 'bnb4';

export const dtypeEndings: Readonly<Record<Dtype, string>> = { ...endings, int8: '_int8', bnb4: '_bnb4' };

export const dtypes: readonly Dtype[] = Object.keys(dtypeEndings).filter((name): name is Dtype => name in dtypeEndings);
