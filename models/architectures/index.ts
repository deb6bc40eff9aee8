import { albert } from './albert.ts';
import type { AnyArchitecture } from './architecture.ts';
import { bert } from './bert.ts';
import { debertaV2 } from './deberta-v2.ts';
import { distilbert } from './distilbert.ts';
import { electra } from './electra.ts';
import { gemma, gemma2 } from './gemma.ts';
import { gptNeox } from './gpt-neox.ts';
import { gpt2 } from './gpt2.ts';
import { llama } from './llama.ts';
import { minimind } from './minimind.ts';
import { mistral } from './mistral.ts';
import { mobilebert } from './mobilebert.ts';
import { modernbert } from './modernbert.ts';
import { mpnet } from './mpnet.ts';
import { opt } from './opt.ts';
import { qwen2 } from './qwen2.ts';
import { qwen3 } from './qwen3.ts';
import { roberta } from './roberta.ts';

/** Every architecture that checkpoints may have. */
const architectures: readonly AnyArchitecture[] = [
  bert,
  distilbert,
  roberta,
  electra,
  mpnet,
  albert,
  mobilebert,
  debertaV2,
  modernbert,
  llama,
  mistral,
  qwen2,
  qwen3,
  gemma,
  gemma2,
  gpt2,
  gptNeox,
  opt,
  minimind,
];

/** The architecture of a model_type, or undefined. */
export const findArchitecture = (modelType: string): AnyArchitecture | undefined =>
  architectures.find(({ modelTypes }) => modelTypes.includes(modelType));

/** The same of encoders alone: what a graph of another maker is taken for, whatever its weights once did. */
export const findEncoder = (modelType: string): AnyArchitecture | undefined => {
  const found = findArchitecture(modelType);
  return found?.decodes === true ? undefined : found;
};

/** Every model_type that decant reads. */
export const knownModelTypes = (): readonly string[] => architectures.flatMap(({ modelTypes }) => modelTypes).sort();
