import type { Value } from '../graph/graph.ts';
import { modelError } from '../ground/errors.ts';

/**
 * What an axis of a port counts: examples, positions of a sequence, of one that is written as the answer to it, positions that a
 * state remembers, answers of all examples one after the other, channels of an image, rows of its pixels from the top, or numbers side by side.
 */
export const axes = ['batch', 'sequence', 'target', 'past', 'answers', 'channel', 'height', 'width'] as const;
export type Axis = (typeof axes)[number];

/**
 * What an input is fed: ids of tokens, which positions are no padding, which of two texts a token belongs to, positions
 * counted from 0, the places (counted over the whole batch) that answers are asked about, how many of the last positions are
 * answered about, all of them where it is 0, or how bright each channel of each pixel of an image is. Of what is written as an
 * answer: ids of the tokens in front of each that is asked for (written), their positions (queries), and those of all that they may
 * look at (keys).
 */
const ofOne = ['tokens', 'mask', 'segments', 'positions', 'places', 'last', 'pixels'] as const;
const ofAnswers = ['written', 'queries', 'keys'] as const;
export const inputRoles = [...ofOne, ...ofAnswers] as const;
export type InputRole = (typeof inputRoles)[number];

/** What an output tells: scores or other answers, or the features of every position. */
export type OutputRole = 'scores' | 'hidden';

/** An input or output of a graph, by what it is for. */
export interface Port<R extends string = string> {
  readonly name: Value;
  readonly role: R;
  readonly axes: readonly Axis[];
  /** The sequence has to be a multiple of this long: it is filled up with padding. */
  readonly multipleOf?: number;
}

/** What a model remembers of positions before: an input, and the output that it continues as. Sizes that are fixed are numbers. */
export interface State {
  readonly past: Value;
  readonly present: Value;
  readonly axes: readonly (Axis | number)[];
}

/** How a model is fed and read: nothing else knows the names of its inputs and outputs. */
export interface Signature {
  readonly inputs: readonly Port<InputRole>[];
  /** The first is what the task reads. */
  readonly outputs: readonly Port<OutputRole>[];
  readonly states: readonly State[];
}

/** The input of a role, where the model has one. */
export const inputOf = ({ inputs }: Signature, role: InputRole): Value | undefined =>
  inputs.find((port) => port.role === role)?.name;

export const expectInput = (signature: Signature, role: InputRole): Value => {
  const input = inputOf(signature, role);
  if (input === undefined) throw modelError(`the model has no input for ${role}; it has ${rolesOf(signature)}`);
  return input;
};

/** Whether what goes in are texts: a model of others has no tokenizer. */
export const readsTexts = (signature: Signature): boolean => inputOf(signature, 'pixels') === undefined;

const rolesOf = ({ inputs }: Signature): string => inputs.map(({ role }) => role).join(', ') || 'none';

/** What the task reads. */
export const answerPort = ({ outputs }: Signature): Port<OutputRole> => {
  const [output] = outputs;
  if (output === undefined) throw modelError('the model has no output');
  return output;
};

/** Its name. */
export const answerName = (signature: Signature): Value => answerPort(signature).name;

/** The same model with another output in front of a task. */
export const answering = (signature: Signature, output: Port<OutputRole>): Signature => ({
  ...signature,
  outputs: [output],
});

/** Features of every token. */
export const featuresPort = (name: Value): Port<'hidden'> => ({
  ...{ name, role: 'hidden', axes: ['batch', 'sequence', 'width'] },
});

/** Answers about texts or images, one about each. */
export const textPort = (name: Value): Port<'scores'> => ({ name, role: 'scores', axes: ['batch', 'width'] });

/** Answers about tokens. */
export const tokenPort = (name: Value): Port<'scores'> => ({
  name,
  role: 'scores',
  axes: ['batch', 'sequence', 'width'],
});

/** The inputs of a text model, as graphs are emitted with them: all (batch, sequence). */
export interface TextInputs {
  readonly ids: Value;
  readonly mask: Value;
  /** Tells the two texts of a pair apart. Models without it see only the separator between them. */
  readonly types?: Value;
  /** Positions of the tokens, where a model does not count them itself. */
  readonly positions?: Value;
}

const textAxes = ['batch', 'sequence'] as const;

export const textSignature = ({ ids, mask, types, positions }: TextInputs, output: Port<OutputRole>): Signature => ({
  inputs: [
    { name: ids, role: 'tokens', axes: textAxes },
    { name: mask, role: 'mask', axes: textAxes },
    ...(types === undefined ? [] : [{ name: types, role: 'segments', axes: textAxes } as const]),
    ...(positions === undefined ? [] : [{ name: positions, role: 'positions', axes: textAxes } as const]),
  ],
  outputs: [output],
  states: [],
});

/** Inputs of a model that writes an answer to a source: those of the source, and all (batch, target). */
export interface AnswerInputs extends Omit<TextInputs, 'types' | 'positions'> {
  readonly written: Value;
  readonly queries: Value;
  readonly keys: Value;
}

/** Answers about the tokens of what is written. */
export const writtenPort = (name: Value): Port<'scores'> => ({
  name,
  role: 'scores',
  axes: ['batch', 'target', 'width'],
});

/** A model that writes an answer to a source. */
export const answerSignature = (inputs: AnswerInputs, output: Port<OutputRole>): Signature => {
  const source = textSignature(inputs, output);
  const own = ofAnswers.map((role) => ({ name: inputs[role], role, axes: ['batch', 'target'] }) as const);
  return { ...source, inputs: [...source.inputs, ...own] };
};

/** A model of images of one size: (batch, channels, height, width). */
export const imageSignature = (pixels: Value, output: Port<OutputRole>): Signature => ({
  inputs: [{ name: pixels, role: 'pixels', axes: ['batch', 'channel', 'height', 'width'] }],
  outputs: [output],
  states: [],
});
