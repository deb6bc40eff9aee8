import { setImmediate } from 'node:timers/promises';
import { unknownTargets } from '../../data/answer-targets.ts';
import type { Dataset, Example } from '../../data/dataset.ts';
import { rowOf } from '../../data/rows.ts';
import { tokenizerOf } from '../../data/tokenize.ts';
import { type ClientText, clientOf } from '../../data/tokenizers/client.ts';
import { clientLimits } from '../../data/tokenizers/client-limits.ts';
import { risksOf } from '../../data/tokenizers/risks.ts';
import { asWritten, type Encoded, encodedText, tokensOf } from '../../engine/encoded.ts';
import { predict } from '../../engine/predict.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import type { ClientFigures } from '../../ground/reported/evaluation.ts';
import { dataTask } from '../../ground/tasks.ts';
import type { Model, TextModel } from '../../models/model.ts';
import { batchingOf } from '../../models/quantized.ts';
import { tokenizerConfigJson } from '../export/tokens.ts';
import type { StageContext } from '../stage.ts';
import { clientSettingsNote, inClientNote } from './client-notes.ts';

export interface InClient {
  readonly figures: ClientFigures;
  readonly notes: readonly string[];
}

/** One text as the client reads it, beside what decant evaluates. */
interface Difference {
  readonly at: number;
  readonly theirs: Encoded;
  /** Whole, the text has the same tokens in both. */
  readonly cut: boolean;
}

/** Texts between two looks at the signal. */
const PIECE = 500;

const sameIds = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  a.length === b.length && Array.prototype.every.call(a, (id: number, i: number) => id === b[i]);

/** The client cuts behind its special tokens, so that the closing one is lost; it knows no limit but the model's. */
const asFed = ({ ids, types }: ClientText, { info }: Model): Encoded => {
  const typed = types.some((type) => type !== 0) ? { types: Uint8Array.from(types.slice(0, info.maxLength)) } : {};
  return encodedText({ ids: Int32Array.from(ids.slice(0, info.maxLength)), ...typed });
};

/** What is written as an answer no client reads of a text. */
const sameText = (a: Encoded, b: Encoded, { info }: Model): boolean =>
  info.signature.inputs.every(({ role }) => role === 'written' || sameIds(a.byRole[role] ?? [], b.byRole[role] ?? []));

const nothing: ClientText = { ids: [], types: [] };
const nothingRead = encodedText({ ids: new Int32Array() });

type Client = (text: Example) => ClientText;

/** A text that the client's library fails on becomes nothing there. */
const orNothing = (client: Client, text: Example): ClientText => {
  try {
    return client(text);
  } catch {
    return nothing;
  }
};

const differences = async (
  client: Client,
  { model, dataset, encoded }: Compared,
  signal: AbortSignal,
): Promise<readonly Difference[]> => {
  const found: Difference[] = [];
  for (const [at, example] of dataset.test.entries()) {
    if (at % PIECE === PIECE - 1) await setImmediate();
    signal.throwIfAborted();
    const mine = encoded[at] ?? nothingRead;
    const whole = orNothing(client, example);
    const theirs = asFed(whole, model);
    if (sameText(mine, theirs, model)) continue;
    const cut = mine.cut !== undefined && whole.ids.length === mine.length + mine.cut;
    found.push({ at, theirs, cut });
  }
  return found;
};

const scoreOf = async (
  { model, dataset }: Compared,
  examples: readonly Example[],
  encoded: readonly Encoded[],
  { threads, signal }: StageContext,
): Promise<number> => {
  const batching = batchingOf(model.graph);
  const task = taskOf(dataset.task);
  const { rows } = await predict({ model, task, examples: encoded, threads, batching, signal });
  const targets = task.targets?.(examples, encoded, dataset.classes) ?? unknownTargets(examples.length);
  return examples.reduce((sum, _, i) => sum + task.judge(rowOf(rows, i), { encoded, targets }, i).score, 0);
};

/** The model on those texts, cut as the client cuts them and as decant does; a text that became nothing is answered wrongly. */
const scoreChange = async (
  compared: Compared,
  different: readonly Difference[],
  ctx: StageContext,
): Promise<number | null> => {
  const { model, dataset, encoded } = compared;
  if (different.length === 0) return 0;
  const { about, metric, truth } = dataTask(dataset.task);
  // Sums of scores tell of means alone, and words have other places in the client.
  if (about !== 'text' || truth === 'teacher' || metric.measure.kind === 'statistic') return null;
  if (model.info.task !== dataset.task) return null;
  const examplesOf = (some: readonly Difference[]) => some.flatMap(({ at }) => dataset.test[at] ?? []);
  const read = different.filter(({ theirs }) => theirs.length > 0);
  const theirs = await scoreOf(
    compared,
    examplesOf(read),
    read.map((one) => one.theirs),
    ctx,
  );
  const ours = different.flatMap(({ at }) => encoded[at] ?? []);
  const mine = await scoreOf(compared, examplesOf(different), ours, ctx);
  return (theirs - mine) / dataset.test.length;
};

/** Tokens that are shown of each text, from the first that differs on. */
const SHOWN = 8;
const LONGEST_TEXT = 80;

const firstOf = ({ model, dataset, encoded }: Compared, [first]: readonly Difference[]): ClientFigures['first'] => {
  const example = first === undefined ? undefined : dataset.test[first.at];
  if (first === undefined || example === undefined) return null;
  const encoder = tokenizerOf(model.tokenizer);
  const mine = tokensOf(encoded[first.at] ?? nothingRead);
  const theirs = tokensOf(first.theirs);
  const apart = mine.findIndex((id, i) => id !== theirs[i]);
  const from = Math.max(0, (apart < 0 ? mine.length : apart) - 1);
  const tokens = (ids: ReturnType<typeof tokensOf>) =>
    [...ids.subarray(from, from + SHOWN)].map((id) => encoder.token(id) ?? `${id}`);
  return { text: example.text.slice(0, LONGEST_TEXT), tokens: tokens(mine), client: tokens(theirs) };
};

/** A model, and the test texts as it is evaluated on them. */
interface Compared {
  readonly model: TextModel;
  readonly dataset: Dataset;
  readonly encoded: readonly Encoded[];
}

/** Undefined where nobody can say: its patterns might never end in JavaScript, or its library refuses the file. */
const loadClient = ({ tokenizer, info }: TextModel): Client | string => {
  const risks = risksOf(tokenizer);
  if (risks.length > 0)
    return `what transformers.js makes of the texts was not tried: ${risks.join(', ')} might never end`;
  const config = tokenizerConfigJson(info, tokenizer);
  try {
    return clientOf(tokenizer, config);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return `transformers.js cannot load the tokenizer (${reason}): the model runs in no browser`;
  }
};

/** Every test text once more, as transformers.js will feed it after an export. */
export const inClient = async (given: Compared, ctx: StageContext): Promise<InClient> => {
  const compared = { ...given, encoded: given.encoded.map(asWritten) };
  const settings = clientLimits(compared.model.tokenizer);
  const named = settings.length === 0 ? [] : [clientSettingsNote(settings)];
  const texts = compared.dataset.test.length;
  const client = loadClient(compared.model);
  if (typeof client === 'string') {
    const figures = { differing: 0, cut: 0, texts: 0, scoreChange: null, first: null, settings };
    return { figures, notes: [...named, client] };
  }
  const different = await differences(client, compared, ctx.signal);
  const figures: ClientFigures = {
    ...{ differing: different.length, cut: different.filter(({ cut }) => cut).length, texts },
    scoreChange: await scoreChange(compared, different, ctx),
    first: firstOf(compared, different),
    settings,
  };
  return {
    figures,
    notes: [...named, ...(different.length === 0 ? [] : [inClientNote(figures, compared.model.info)])],
  };
};
