import { basename } from 'node:path';
import { outsideFiles } from '../../../graph/codec/index.ts';
import { concreteView } from '../../../graph/concrete.ts';
import type { Graph } from '../../../graph/graph.ts';
import { isRefusal, reworded } from '../../../ground/errors.ts';
import { hasClasses, modelTask, type TaskName } from '../../../ground/tasks.ts';
import { expectAgreement } from '../../agree.ts';
import { layerUnits } from '../../anatomy/units.ts';
import { anatomyOf } from '../../anatomy.ts';
import { findEncoder } from '../../architectures/index.ts';
import { type Roles, readBare, rolesOf } from '../../bare/index.ts';
import { ofTexts, textPortsOf, textStatesOf } from '../../bare/inputs-of-texts.ts';
import { seesByPositions } from '../../cache-places.ts';
import { decoderModelType } from '../../decoder.ts';
import { placesIn } from '../../dropout/index.ts';
import { type ModelFacts, textModelType } from '../../facts.ts';
import { expectFinite } from '../../finite.ts';
import { readForeign } from '../../foreign.ts';
import type { Model, ModelInfo } from '../../model.ts';
import { type InputRole, inputOf, type Port, type State } from '../../signature.ts';
import { maskTokenOf } from '../../special-tokens.ts';
import { readSentence, readSentenceFolder } from '../folder/sentence.ts';
import { tokenizerSettings } from '../folder/settings.ts';
import { type FolderTokenizer, readFolderTokenizer } from '../folder/tokenizer.ts';
import { tryTokenizer } from '../folder/try-tokenizer.ts';
import { type Imported, type ImportOptions, importError } from '../importer.ts';
import { type Beside, besideOf, expectTokenizer, filesBeside, type Said, saidIn } from './beside.ts';
import { trainedAs } from './dropout.ts';
import { type Answering, answeringGraph } from './head.ts';

type Wanted = Pick<ImportOptions, 'tokenizer'>;

/** The graph, its external data, and what lies beside it. */
export const onnxFiles = async (specifier: string, base: string, wanted: Wanted): Promise<readonly string[]> => {
  const beside = besideOf(specifier, base, wanted);
  expectTokenizer(beside);
  return [beside.file, ...(await outsideFiles(beside.file)), ...filesBeside(beside)];
};

/** Where nothing says how long texts may be. */
const USUAL_LENGTH = 512;

const lengthOf = ({ longest }: Roles, { positions }: Said, tokenizer: FolderTokenizer): number =>
  Math.min(longest ?? positions ?? USUAL_LENGTH, tokenizer.maxLength);

const rowsOf = ({ inputs }: Roles): number => {
  const end = inputs.find(({ role }) => role === 'tokens')?.end;
  if (end === undefined) throw importError('the graph looks up no rows by token ids');
  return end;
};

/** The kind of model by which clients choose what they feed: the checkpoint's own, or one with these inputs. */
const modelTypeOf = ({ modelType }: Said, task: TaskName, ports: readonly Port<InputRole>[]): string => {
  if (modelTask(task).reads === 'before') return modelType === '' ? decoderModelType : modelType;
  if (findEncoder(modelType) !== undefined) return modelType;
  return ports.some(({ role }) => role === 'segments') ? 'bert' : textModelType;
};

/** Sizes as far as the graph shows them. */
const dimensionsOf = (given: Graph, vocabulary: number): Readonly<Record<string, number>> => {
  try {
    const graph = concreteView(given);
    const anatomy = anatomyOf(graph);
    const units = anatomy.layers.map((layer) => layerUnits(graph, anatomy, layer));
    const most = (of: 'heads' | 'kvHeads' | 'ffn'): number => Math.max(0, ...units.map((layer) => layer[of]));
    const [heads, kvHeads] = [most('heads'), most('kvHeads')];
    const sizes = {
      hidden: anatomy.layers.at(-1)?.outputWidth ?? 0,
      layers: anatomy.layers.length,
      ...{ heads, ffn: most('ffn') },
      kvHeads: kvHeads === heads ? 0 : kvHeads,
    };
    return { ...Object.fromEntries(Object.entries(sizes).filter(([, size]) => size > 0)), vocabulary };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return { vocabulary };
  }
};

/** What is said beside the graph, and the sizes that it shows. */
export const onnxFacts = async (specifier: string, base: string, given: ImportOptions): Promise<ModelFacts> => {
  const { head, ...wanted } = given;
  const beside = besideOf(specifier, base, wanted);
  expectTokenizer(beside);
  const { labels, savedFrom } = saidIn(beside.config);
  const classifies = head === 'keep' && labels.length > 0 && /For(?:Sequence|Token)Classification$/.test(savedFrom);
  const graph = await readBare(beside.file).catch((error: unknown) => {
    throw reworded(error, (message) => importError(message, { cause: error }));
  });
  const drops = placesIn(graph, { hasHead: false }).length > 0;
  return { ...(classifies ? { labels } : {}), sizes: dimensionsOf(graph, rowsOf(rolesOf(graph))), drops };
};

/** Whether a model writes texts: it remembers what it read, or was saved from a class that does. */
const writes = ({ savedFrom }: Said, states: readonly State[]): boolean =>
  states.length > 0 || /(ForCausalLM|LMHeadModel)$/.test(savedFrom);

interface Parts {
  readonly beside: Beside;
  readonly said: Said;
  readonly ports: readonly Port<InputRole>[];
  readonly states: readonly State[];
  readonly tokenizer: FolderTokenizer;
  readonly answering: Answering;
  readonly name: string | undefined;
}

const checkpointOf = (
  { modelType, json, numbers }: Said,
  task: TaskName,
): Pick<ModelInfo, 'checkpoint' | 'checkpointNumbers'> =>
  json === undefined || (findEncoder(modelType) === undefined && modelTask(task).reads !== 'before')
    ? {}
    : { checkpoint: json, ...(numbers === undefined ? {} : { checkpointNumbers: numbers }) };

const infoOf = (
  { beside, said, ports, states, tokenizer, answering: { task, labels, output }, name }: Parts,
  dimensions: ModelInfo['dimensions'],
  maxLength: number,
): ModelInfo => {
  const { config, tokenizer: folder = '', file } = beside;
  const modules = config === undefined ? undefined : readSentenceFolder(config);
  const sentence = config === undefined ? undefined : readSentence(config, modules);
  const vector = sentence === undefined || hasClasses(task) ? {} : { sentence };
  return {
    ...{ schema: 'decant.model/2', task, labels, dimensions, maxLength },
    signature: { inputs: ports, outputs: [output], states },
    processor: { tokens: tokenizer.tokens, ...vector },
    modelType: modelTypeOf(said, task, ports),
    ...checkpointOf(said, task),
    tokenizerConfig: tokenizerSettings(folder),
    origin: `${name ?? basename(file)} (ONNX${said.modelType === '' ? '' : `, ${said.modelType}`})`,
  };
};

const readTokenizer = (beside: Beside, said: Said, vocabulary: number): FolderTokenizer =>
  readFolderTokenizer(expectTokenizer(beside), {
    ...{ modelType: said.modelType, tokenizerClass: said.tokenizerClass, vocabulary, padding: said.padding },
  });

/**
 * A model from a graph that another maker wrote: its inputs by what they do, its answer as the graph shows it, texts through
 * the tokenizer beside it, dropout where its layers show that it belongs.
 */
export const importOnnx = async (specifier: string, base: string, options: ImportOptions): Promise<Imported> => {
  const beside = besideOf(specifier, base, options);
  expectTokenizer(beside);
  const said = saidIn(beside.config);
  try {
    const { given, graph } = await readForeign(beside.file);
    const roles = rolesOf(graph);
    const [ports, states] = [textPortsOf(roles), textStatesOf(roles)];
    const vocabulary = rowsOf(roles);
    const tokenizer = readTokenizer(beside, said, vocabulary);
    const hasMask = maskTokenIn(tokenizer, beside);
    const reading = { vocabulary, hasMask, decodes: writes(said, states), presents: states.map((one) => one.present) };
    const answering = answeringGraph(ofTexts(graph, roles), options, said, reading);
    const maxLength = lengthOf(roles, said, tokenizer);
    expectFinite(answering.graph);
    await tryTokenizer(tokenizer, vocabulary, maxLength);
    const parts = { beside, said, ports, states, tokenizer, answering, name: options.name };
    const info = infoOf(parts, dimensionsOf(answering.graph, vocabulary), maxLength);
    const trained = trainedAs(answering, said, given);
    const remarks = [...trained.remarks, ...forgetting({ graph: trained.graph, info })];
    const model = { ...trained, remarks, info, tokenizer: tokenizer.json };
    expectAgreement(model, { graph: beside.file, info: 'config.json', tokenizer: () => 'tokenizer.json' });
    return model;
  } catch (error) {
    throw reworded(error, (message) => importError(message, { cause: error }));
  }
};

/** Known before hours of training, not at their end. */
const forgetting = ({ graph, info: { task, signature } }: Pick<Model, 'graph' | 'info'>): readonly string[] =>
  modelTask(task).reads !== 'before' ||
  signature.states.length > 0 ||
  seesByPositions(graph, inputOf(signature, 'positions'))
    ? []
    : [
        'it has no past and present: it is trained, cut and imitated, but export and generate need a file that has them',
      ];

const maskTokenIn = ({ json, tokens }: FolderTokenizer, { tokenizer: folder = '' }: Beside): boolean =>
  maskTokenOf({ tokenizer: json, info: { tokenizerConfig: tokenizerSettings(folder), processor: { tokens } } }) !==
  undefined;
