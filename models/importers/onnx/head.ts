import type { Graph, Value } from '../../../graph/graph.ts';
import { type TaskName, taskReading, taskWith } from '../../../ground/tasks.ts';
import { featuresOf, giving, named } from '../../bare/features.ts';
import { type BareOutput, rolesOf } from '../../bare/index.ts';
import { outputPort } from '../../info.ts';
import type { OutputRole, Port } from '../../signature.ts';
import { type ImportOptions, importError } from '../importer.ts';
import type { Said } from './beside.ts';

/** A graph that gives one answer, and what that is. */
export interface Answering {
  readonly graph: Graph;
  readonly task: TaskName;
  readonly labels: readonly string[];
  readonly output: Port<OutputRole>;
}

/** Names by which decant and clients know features and scores. */
const usual = { features: 'last_hidden_state', scores: 'logits' } as const;

const chosen = (graph: Graph, wanted: string | undefined): BareOutput | undefined => {
  const { outputs, answer } = rolesOf(graph);
  const found = outputs.find(({ name }) => name === (wanted ?? answer));
  if (found !== undefined || wanted === undefined) return found;
  throw importError(`the graph has no output '${wanted}'; it has ${outputs.map(({ name }) => name).join(', ')}`);
};

const asFeatures = (graph: Graph, value: Value, presents: readonly Value[]): Answering => {
  const given = named(graph, value, usual.features);
  const name = given === graph ? value : (usual.features as Value);
  const task = taskWith('text', 'vector');
  return { graph: giving(given, [name, ...presents]), task, labels: [], output: outputPort(task, name) };
};

const columnsOf = ({ axes }: BareOutput): number => {
  const size = axes.at(-1)?.size;
  if (typeof size === 'number') return size;
  throw importError(`how many scores the output has is not known: its last axis is '${size ?? 'missing'}'`);
};

/** Names of the classes: those of config.json where it has as many, else numbers. */
const labelsFor = (count: number, { labels }: Said): readonly string[] =>
  labels.length === count ? labels : Array.from({ length: count }, (_, i) => `LABEL_${i}`);

const textTask = (columns: number, { problem }: Said): TaskName => {
  if (problem === 'multi_label_classification') return taskWith('text', 'set');
  return columns === 1 ? taskWith('text', 'number') : taskWith('text', 'choice');
};

/** Scores of classes, of texts or of words, or of every token of the vocabulary. */
const taskOfScores = (output: BareOutput, said: Said, vocabulary: number): TaskName => {
  const columns = columnsOf(output);
  if (output.axes.length === 2) return textTask(columns, said);
  return columns >= vocabulary && said.labels.length !== columns
    ? taskWith('token', 'token')
    : taskWith('word', 'choice');
};

/** A product of two axes that a model of features was saved with is no score of a class but a projection of its vector. */
const isProjection = ({ axes }: BareOutput, { savedFrom }: Said): boolean =>
  axes.length === 2 && savedFrom !== '' && !savedFrom.endsWith('ForSequenceClassification');

/** What is guessed of a vocabulary: the next token by a decoder, a hidden one where texts have a place for it. */
const guessing = ({ hasMask, decodes }: Reading): TaskName => {
  if (decodes) return taskReading('before');
  if (hasMask) return taskWith('token', 'token');
  throw importError(
    'the graph predicts tokens, and nothing says of which kind: its tokenizer has no mask token, and it is no decoder that remembers, or ' +
      "that its config.json calls one (architectures ends in ForCausalLM): 'head: new' takes its features",
  );
};

/** What is known of the model beside what it puts out. */
interface Reading {
  readonly vocabulary: number;
  readonly hasMask: boolean;
  /** Whether it writes texts. */
  readonly decodes: boolean;
  /** What goes on with what it remembers. */
  readonly presents: readonly Value[];
}

/** The graph with the answer that it is taken for: the head that it has, or the features that it computes. */
export const answeringGraph = (
  graph: Graph,
  { head, output: wanted }: ImportOptions,
  said: Said,
  reading: Reading,
): Answering => {
  const output = chosen(graph, wanted);
  if (output === undefined) throw importError('the graph has no output of floats that a text could be answered with');
  const { presents } = reading;
  if (output.role === 'hidden') return asFeatures(graph, output.name, presents);
  if (head === 'new' || output.role !== 'scores' || isProjection(output, said))
    return asFeatures(graph, featuresOf(graph), presents);
  const found = taskOfScores(output, said, reading.vocabulary);
  const isToken = found === taskWith('token', 'token');
  const task = isToken ? guessing(reading) : found;
  const features = isToken ? named(graph, featuresOf(graph), usual.features) : graph;
  const scored = named(features, output.name, usual.scores);
  const name = scored === features ? output.name : (usual.scores as Value);
  const isClasses =
    task === taskWith('text', 'choice') || task === taskWith('text', 'set') || task === taskWith('word', 'choice');
  const labels = isClasses ? labelsFor(columnsOf(output), said) : [];
  return { graph: giving(scored, [name, ...presents]), task, labels, output: outputPort(task, name) };
};
