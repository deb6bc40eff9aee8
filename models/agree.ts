import type { TokenizerJson } from '../data/tokenizer.ts';
import { largestType } from '../data/tokenizers/types.ts';
import type { TensorType } from '../graph/graph.ts';
import type { DType } from '../graph/tensor.ts';
import { modelError } from '../ground/errors.ts';
import { hasClasses } from '../ground/tasks.ts';
import { endOfIds, endOfTypes } from './anatomy/tokens.ts';
import { type Model, pixelsIn, type TextModel, tokenizerIn, tokensIn } from './model.ts';
import { answerName, expectInput, inputOf, readsTexts } from './signature.ts';

/** Where the parts of a model lie, for messages. */
export interface Places {
  readonly graph: string;
  readonly info: string;
  /** Of models that have one. */
  tokenizer(): string;
}

const shapeText = ({ dtype, shape }: TensorType): string => `${dtype}[${shape?.join(', ') ?? '...'}]`;

const listed = (names: readonly string[]): string => names.join(', ') || 'none';

/** What goes in, and as what. */
interface Fed {
  readonly dtypes: readonly DType[];
  readonly for: string;
}

const ofTokens: Fed = { dtypes: ['int64', 'int32'], for: 'token ids' };
const ofPixels: Fed = { dtypes: ['float32'], for: 'pixels' };

const expectInputs = ({ graph, info }: Model, places: Places): void => {
  const { inputs, states } = info.signature;
  for (const { name, role, axes } of inputs) {
    if (!graph.inputs.includes(name)) {
      throw modelError(
        `${places.graph} has no input '${name}', which ${places.info} names; it has ${listed(graph.inputs)}`,
      );
    }
    const type = graph.types.get(name);
    const { dtypes, for: what } = role === 'pixels' ? ofPixels : ofTokens;
    const fits = type === undefined || dtypes.includes(type.dtype);
    if (type !== undefined && (!fits || (type.shape !== undefined && type.shape.length !== axes.length))) {
      throw modelError(
        `${places.graph}: the input '${name}' is ${shapeText(type)}; expected ${dtypes[0]}[${axes.join(', ')}], for ${what} go in`,
      );
    }
  }
  const fed = new Set([...inputs.map(({ name }) => name), ...states.map(({ past }) => past)]);
  const others = graph.inputs.filter((name) => !fed.has(name));
  if (others.length > 0) {
    throw modelError(
      `${places.graph} has the input '${others[0]}', of which ${places.info} says nothing: nobody would fill it`,
    );
  }
};

const expectOutput = ({ graph, info }: Model, places: Places): void => {
  for (const { name, axes } of info.signature.outputs) {
    if (!graph.outputs.includes(name)) {
      throw modelError(
        `${places.graph} has no output '${name}', which ${places.info} names; it has ${listed(graph.outputs)}`,
      );
    }
    const type = graph.types.get(name);
    if (type === undefined) continue;
    if (type.dtype !== 'float32' || (type.shape !== undefined && type.shape.length !== axes.length)) {
      throw modelError(
        `${places.graph}: the output '${name}' is ${shapeText(type)}; expected float32 with ${axes.length} axes for ${info.task}`,
      );
    }
  }
};

const expectStates = ({ graph, info }: Model, places: Places): void => {
  for (const { past, present } of info.signature.states) {
    if (graph.inputs.includes(past) && graph.outputs.includes(present)) continue;
    throw modelError(
      `${places.graph} has no state that goes in as '${past}' and out as '${present}', which ${places.info} names; ` +
        `it has the inputs ${listed(graph.inputs)} and the outputs ${listed(graph.outputs)}`,
    );
  }
};

const expectLabels = ({ graph, info }: Model, places: Places): void => {
  if (info.labels.length === 0 && !hasClasses(info.task)) return;
  const output = answerName(info.signature);
  const columns = graph.types.get(output)?.shape?.at(-1);
  if (typeof columns !== 'number' || columns === info.labels.length) return;
  throw modelError(
    `${places.info} names ${info.labels.length} labels (${info.labels.slice(0, 3).join(', ')}${info.labels.length > 3 ? ', ...' : ''}), ` +
      `but the output '${output}' of ${places.graph} has ${columns} columns: one of the files is another model's`,
  );
};

const expectThresholds = ({ info }: Model, places: Places): void => {
  const { thresholds } = info.processor;
  if (thresholds === undefined || thresholds.length === info.labels.length) return;
  throw modelError(
    `${places.info} has ${thresholds.length} thresholds for ${info.labels.length} labels; expected one a label, in their order`,
  );
};

const isRecord = (json: unknown): json is Readonly<Record<string, unknown>> =>
  typeof json === 'object' && json !== null;

/** The largest id that a tokenizer.json can give, and its token, without loading it. */
const largestId = ({ model, added_tokens }: TokenizerJson): readonly [token: string, id: number] => {
  const { vocab } = isRecord(model) ? model : {};
  let [token, largest] = ['', -1];
  const see = (name: unknown, id: unknown): void => {
    if (typeof id === 'number' && id > largest) [token, largest] = [String(name), id];
  };
  if (Array.isArray(vocab)) see(vocab.at(-1)?.[0], vocab.length - 1);
  else if (isRecord(vocab)) for (const name in vocab) see(name, vocab[name]);
  if (Array.isArray(added_tokens)) for (const added of added_tokens) if (isRecord(added)) see(added.content, added.id);
  return [token, largest];
};

const expectTokens = (model: TextModel, places: Places): void => {
  const rows = endOfIds(model);
  const [token, id] = largestId(model.tokenizer);
  if (id >= rows) {
    throw modelError(
      `${places.tokenizer()} gives ids up to ${id} ('${token}'), but the token table of ${places.graph} has ${rows} rows: one of the files is another model's`,
    );
  }
  for (const [role, special] of Object.entries(tokensIn(model.info.processor))) {
    if (special < rows) continue;
    throw modelError(
      `${places.info}: the ${role} token is ${special}, but the token table of ${places.graph} has ${rows} rows`,
    );
  }
};

const expectTypes = ({ graph, info, tokenizer }: TextModel, places: Places): void => {
  const [type, rows] = [largestType(tokenizer.post_processor), endOfTypes(graph, inputOf(info.signature, 'segments'))];
  if (type < rows) return;
  throw modelError(
    `${places.tokenizer()}: its post_processor gives tokens the type_id ${type}, but ${places.graph} has ${rows} types (type_vocab_size), 0 to ${rows - 1}: one of the files is another model's`,
  );
};

const expectLength = ({ info }: Model, places: Places): void => {
  const positions = info.checkpoint?.max_position_embeddings;
  if (typeof positions !== 'number' || positions <= 0 || info.maxLength <= positions) return;
  throw modelError(`${places.info}: maxLength is ${info.maxLength}, but the model has ${positions} positions`);
};

const expectTexts = (model: TextModel, places: Places): void => {
  expectTokens(model, places);
  expectTypes(model, places);
  expectLength(model, places);
};

/** An image of another size would be read as other pixels. */
const expectImages = ({ graph, info }: Model, places: Places): void => {
  const input = expectInput(info.signature, 'pixels');
  const { channels, height, width, mean, deviation } = pixelsIn(info.processor);
  const type = graph.types.get(input);
  const wanted = [channels, height, width];
  if (type?.shape !== undefined && wanted.some((size, i) => type.shape?.[i + 1] !== size)) {
    throw modelError(
      `${places.graph}: the input '${input}' is ${shapeText(type)}, but ${places.info} names images of ${wanted.join(' x ')} (channels, height, width)`,
    );
  }
  if (mean.length !== channels || deviation.length !== channels) {
    throw modelError(
      `${places.info}: expected a mean and a deviation for each of ${channels} channels; found ${mean.length} and ${deviation.length}`,
    );
  }
};

/**
 * Compares what the files of a model say of each other, on every road that reads one: what does not fit would end in an
 * answer under another class's name, or deep inside the runtime.
 */
export const expectAgreement = (model: Model, places: Places): void => {
  expectInputs(model, places);
  expectOutput(model, places);
  expectStates(model, places);
  expectLabels(model, places);
  expectThresholds(model, places);
  if (readsTexts(model.info.signature)) expectTexts({ ...model, tokenizer: tokenizerIn(model) }, places);
  else expectImages(model, places);
};
