import type { UserError } from '../../ground/errors.ts';
import { isRecord } from '../../ground/records.ts';
import { dataError, nameHint } from '../errors.ts';
import type { TokenizerJson } from '../tokenizer.ts';
import { checkCharsmap } from './charsmap.ts';
import { pairOf } from './derive.ts';
import { addedToken, inside, kinds, type PartName, type Setting, topLevel } from './kinds.ts';
import { listOf, type Part, partOf, vocabularyIn } from './parts.ts';

const wrong = (at: string, problem: string): UserError =>
  dataError('wrong-tokenizer', `tokenizer.json: ${at}${problem}`);

const LONGEST_SHOWN = 60;

/** What stands there, short. */
const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
};

/** The library passes over keys that it does not know: whoever wrote them meant something. */
const checkSettings = (at: string, what: string, part: Part, settings: Readonly<Record<string, Setting>>): void => {
  for (const [key, { expected, holds, optional }] of Object.entries(settings)) {
    const value = part[key];
    if (value === undefined ? optional : holds(value)) continue;
    throw wrong(
      at,
      value === undefined
        ? ` lacks '${key}'; expected ${expected}`
        : `.${key} is ${shown(value)}; expected ${expected}`,
    );
  }
  const strange = Object.keys(part).find((key) => key !== 'type' && !Object.hasOwn(settings, key));
  if (strange === undefined) return;
  throw wrong(at, `.${strange} is no setting of ${what}${nameHint(strange, Object.keys(settings))}`);
};

const settingsOf = (name: PartName, at: string, type: unknown): Readonly<Record<string, Setting>> => {
  const known: Readonly<Record<string, Readonly<Record<string, Setting>>>> = kinds[name];
  const settings = typeof type === 'string' && Object.hasOwn(known, type) ? known[type] : undefined;
  if (settings !== undefined) return settings;
  if (typeof type !== 'string')
    throw wrong(at, `.type is ${shown(type)}; expected one of ${Object.keys(known).join(', ')}`);
  throw wrong(at, ` is of the kind ${shown(type)}${nameHint(type, Object.keys(known))}`);
};

/** Deeper nesting has no use, and the library would follow it. */
const DEEPEST = 8;

const checkPart = (name: Exclude<PartName, 'model'>, at: string, json: unknown, depth = 0): void => {
  if (!isRecord(json)) throw wrong(at, ` is ${shown(json)}; expected an object with a 'type', or null`);
  if (depth > DEEPEST) throw wrong(at, ` is nested more than ${DEEPEST} deep`);
  const part = partOf(json);
  checkSettings(at, String(part.type), part, settingsOf(name, at, part.type));
  if (part.type === 'Precompiled') checkCharsmap(at, String(part.precompiled_charsmap));
  if (part.type === 'TemplateProcessing') checkTemplates(at, part);
  if (part.type !== 'Sequence') return;
  listOf(part[inside[name]]).forEach((inner, i) => {
    checkPart(name, `${at}.${inside[name]}[${i}]`, inner, depth + 1);
  });
};

const isIds = (value: unknown): boolean =>
  Array.isArray(value) && value.length > 0 && value.every((id) => Number.isSafeInteger(id) && id >= 0);

/** A piece of a template: `{"Sequence": {"id": "A" or "B", "type_id"}}` or `{"SpecialToken": {"id", "type_id"}}`. */
const checkPiece = (at: string, piece: unknown, special: Part): string => {
  const [[kind, value] = [], ...more] = Object.entries(partOf(piece));
  const { id, type_id } = partOf(value);
  const sound = typeof id === 'string' && Number.isSafeInteger(type_id) && Number(type_id) >= 0 && more.length === 0;
  if (sound && kind === 'Sequence' && (id === 'A' || id === 'B')) return id;
  if (!sound || kind !== 'SpecialToken') {
    throw wrong(at, ` is ${shown(piece)}; expected {"Sequence" or "SpecialToken": {"id", "type_id"}}`);
  }
  if (!Object.hasOwn(special, id)) throw wrong(at, ` names ${shown(id)}, which special_tokens does not have`);
  return '';
};

/** Honest templates add a handful; each text would bear all of them. */
const MOST_FRAME = 1000;

const idsOf = (special: Part, piece: unknown): number =>
  listOf(partOf(special[String(partOf(partOf(piece).SpecialToken).id)]).ids).length;

const checkFrame = (at: string, template: unknown, special: Part): void => {
  const count = listOf(template).reduce<number>((sum, piece) => sum + idsOf(special, piece), 0);
  if (count > MOST_FRAME) throw wrong(at, ` adds ${count} tokens to every text; expected at most ${MOST_FRAME}`);
};

/** The library ends the process over a template of what another one has made. */
const templatesIn = (json: unknown): number => {
  const { type, processors } = partOf(json);
  return (
    Number(type === 'TemplateProcessing') + listOf(processors).reduce<number>((sum, one) => sum + templatesIn(one), 0)
  );
};

const checkTemplates = (at: string, { single, pair, special_tokens }: Part): void => {
  const special = partOf(special_tokens);
  for (const [name, token] of Object.entries(special)) {
    const { ids, tokens } = partOf(token);
    if (
      isIds(ids) &&
      Array.isArray(tokens) &&
      tokens.length === listOf(ids).length &&
      tokens.every((one) => typeof one === 'string')
    )
      continue;
    throw wrong(
      at,
      `.special_tokens gives ${shown(name)} ${shown(token)}; expected {"id", "ids", "tokens"} with as many tokens as ids`,
    );
  }
  for (const [name, template, texts] of [
    ['single', single, 'A'],
    ['pair', pair, 'AB'],
  ] as const) {
    const places = listOf(template).map((piece, i) => checkPiece(`${at}.${name}[${i}]`, piece, special));
    checkFrame(`${at}.${name}`, template, special);
    const found = places
      .filter((place) => place !== '')
      .toSorted()
      .join('');
    if (found === texts || (name === 'pair' && found === '')) continue;
    throw wrong(
      at,
      `.${name} holds the texts '${found.slice(0, LONGEST_SHOWN)}'; expected each of ${[...texts].join(' and ')} once`,
    );
  }
};

/** Files of old versions leave the kind of the model out. */
export const modelKindOf = ({ type, vocab, merges }: Part): unknown => {
  if (type !== undefined) return type;
  if (Array.isArray(vocab)) return 'Unigram';
  return merges === undefined ? 'WordPiece' : 'BPE';
};

const LARGEST_ID = 2 ** 32 - 1;

const isId = (id: number): boolean => Number.isSafeInteger(id) && id >= 0 && id <= LARGEST_ID;

const isPiece = (entry: unknown): boolean =>
  Array.isArray(entry) && entry.length === 2 && typeof entry[0] === 'string' && typeof entry[1] === 'number';

/**
 * Throws where something in a model's vocabulary has no id, or a piece no score. Vocabularies have up to a million tokens, which
 * take a schema seconds.
 */
export const checkVocabulary = (model: unknown): void => {
  const { vocab } = partOf(model);
  if (Array.isArray(vocab)) {
    const strange = vocab.findIndex((entry) => !isPiece(entry));
    if (strange >= 0) throw wrong(`model.vocab[${strange}]`, ` is ${shown(vocab[strange])}; expected [piece, score]`);
    return;
  }
  for (const [token, id] of vocabularyIn(model)) {
    if (isId(id)) continue;
    throw wrong('model.vocab', ` gives ${shown(token)} the id ${shown(partOf(vocab)[token])}; expected a whole number`);
  }
};

/** The library ends the process over a merge of what is not in the vocabulary. */
const checkMerges = ({ vocab, merges, continuing_subword_prefix: prefix }: Part): void => {
  const tokens = partOf(vocab);
  const continued = typeof prefix === 'string' ? prefix : '';
  listOf(merges).forEach((merge, i) => {
    const both = typeof merge === 'string' ? merge.split(' ') : listOf(merge);
    if (both.length !== 2 || !both.every((side) => typeof side === 'string' && side !== '')) {
      throw wrong(`model.merges[${i}]`, ` is ${shown(merge)}; expected two tokens`);
    }
    const [left, right] = pairOf(merge);
    const joined = left + (right.startsWith(continued) ? right.slice(continued.length) : right);
    const missing = [left, right, joined].find((token) => !Object.hasOwn(tokens, token));
    if (missing !== undefined)
      throw wrong(
        `model.merges[${i}]`,
        ` (${shown(merge)}) needs the token ${shown(missing)}, which the vocabulary does not have`,
      );
  });
};

const checkModel = (json: unknown): void => {
  if (!isRecord(json)) throw wrong('model', ` is ${shown(json)}; expected an object`);
  const model = partOf(json);
  const kind = modelKindOf(model);
  checkSettings('model', String(kind), model, settingsOf('model', 'model', kind));
  checkVocabulary(model);
  checkMerges(model);
  const { unk_token, vocab } = model;
  if (typeof unk_token !== 'string' || unk_token === '' || Object.hasOwn(partOf(vocab), unk_token)) return;
  throw wrong('model.unk_token', ` is ${shown(unk_token)}, which the vocabulary does not have`);
};

const partNames = ['normalizer', 'pre_tokenizer', 'post_processor'] as const;
const required = ['normalizer', 'pre_tokenizer', 'model', 'post_processor', 'decoder', 'added_tokens'] as const;

/**
 * Refuses what the library would pass over or die of: unknown kinds and settings, values of another type, merges and
 * templates of tokens that are not there. What passes here is computed as it stands.
 */
export const checkFormat = (json: TokenizerJson): void => {
  const missing = required.filter((part) => !(part in json));
  if (missing.length > 0) {
    throw wrong('', `it lacks ${missing.map((part) => `'${part}'`).join(', ')} (null where it has none)`);
  }
  const strange = Object.keys(json).find((key) => !topLevel.includes(key));
  if (strange !== undefined) throw wrong(strange, ` is no part of the format${nameHint(strange, topLevel)}`);
  for (const name of partNames) if (json[name] !== null) checkPart(name, name, json[name]);
  if (templatesIn(json.post_processor) > 1)
    throw wrong('post_processor', ' holds several templates; expected one, since none can be laid around another');
  checkModel(json.model);
  if (json.added_tokens !== null && !Array.isArray(json.added_tokens)) throw wrong('added_tokens', ' is no list');
  listOf(json.added_tokens).forEach((token, i) => {
    if (!isRecord(token)) throw wrong(`added_tokens[${i}]`, ` is ${shown(token)}; expected an object`);
    checkSettings(`added_tokens[${i}]`, 'an added token', partOf(token), addedToken);
  });
};
