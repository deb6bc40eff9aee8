import { importError } from '../importer.ts';
import { byteLevel } from './classes/byte-level.ts';
import type { TokenizerClass } from './classes/class.ts';
import { albert, camembert, deberta, xlmRoberta } from './classes/unigram.ts';
import { bert, distilbert, mpnet } from './classes/word-piece.ts';
import { settingFiles } from './token-roles.ts';

/** Classes that make parts of the tokenizer themselves, whatever tokenizer.json says of them. */
const classes: readonly TokenizerClass[] = [bert, distilbert, mpnet, byteLevel, xlmRoberta, camembert, albert, deberta];

/** Classes that take tokenizer.json as it is. */
const generic = /^(PreTrainedTokenizer(Fast)?|TokenizersBackend|PythonBackend)$/;

/** The class that a model's own tokenizer has, by model_type; models that are not listed take tokenizer.json as it is. */
const usual: Readonly<Record<string, string>> = {
  albert: 'AlbertTokenizer',
  bert: 'BertTokenizer',
  camembert: 'CamembertTokenizer',
  'deberta-v2': 'DebertaV2Tokenizer',
  distilbert: 'BertTokenizer',
  electra: 'BertTokenizer',
  mobilebert: 'MobileBertTokenizer',
  mpnet: 'MPNetTokenizer',
  roberta: 'RobertaTokenizer',
  'xlm-roberta': 'XLMRobertaTokenizer',
};

/** What transformers makes a folder's tokenizer with. */
export interface ChosenClass {
  /** undefined where tokenizer.json is taken as it is. */
  readonly made: TokenizerClass | undefined;
  readonly name: string;
  /** What in which file says so, for messages. */
  readonly because: string;
}

const nameIn = (file: string, value: unknown): string | undefined => {
  if (value == null) return undefined;
  if (typeof value === 'string') return value;
  throw importError(`${file}: tokenizer_class is ${JSON.stringify(value)}; expected the name of a class`);
};

/** The class of a name that makes parts of a tokenizer itself; undefined for others. */
export const makingClass = (name: string): TokenizerClass | undefined =>
  classes.find(({ names }) => names.test(name.replace(/Fast$/, '')));

export const wayOut =
  'write "tokenizer_class": "PreTrainedTokenizerFast" into tokenizer_config.json to take tokenizer.json as it is, ' +
  'or save the tokenizer again with save_pretrained';

const chosen = (name: string, because: string): ChosenClass => {
  const bare = name.replace(/Fast$/, '');
  const made = makingClass(name);
  if (made !== undefined || generic.test(name)) return { made, name: bare, because };
  throw importError(`${because}; what that class makes of a tokenizer is not known here: ${wayOut}`);
};

/** The class that transformers chooses: of tokenizer_config.json, of config.json, or that of the model. */
export const classOf = (modelType: string, tokenizerConfig: unknown, modelConfig: unknown): ChosenClass => {
  const own = usual[modelType];
  const inConfig = nameIn(settingFiles.config, tokenizerConfig);
  const named = inConfig ?? nameIn('config.json', modelConfig);
  if (own === undefined)
    return { made: undefined, name: 'TokenizersBackend', because: `config.json says model_type ${modelType}` };
  if (named === undefined) return chosen(own, `config.json says model_type ${modelType}, whose tokenizer is ${own}`);
  const file = inConfig === undefined ? 'config.json' : settingFiles.config;
  return chosen(named, `${file} names a ${named}`);
};
