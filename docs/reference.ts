import { datasets } from '../data/datasets/index.ts';
import type { Catalogue } from '../pipeline/catalogue.ts';
import { jsonSchema } from '../pipeline/yaml/head.ts';
import { stages } from '../stages/index.ts';

type Json = Record<string, unknown>;

const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const record = (value: unknown): Json => (isRecord(value) ? value : {});
const records = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.filter(isRecord) : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const code = (value: unknown): string => `\`${JSON.stringify(value)?.replace(/^"(.*)"$/, '$1') ?? ''}\``;

/** `1/3` for a third, which no decimal writes. */
const shownDefault = (value: unknown): string => {
  if (value === undefined || (isRecord(value) && Object.keys(value).length === 0)) return '';
  const inverse = typeof value === 'number' && value > 0 && value < 1 ? 1 / value : 0;
  const isFraction = inverse > 1 && Number.isInteger(inverse) && String(value).length > 6;
  return isFraction ? `\`1/${inverse}\`` : code(value);
};

const alternatives = (schema: Json): readonly Json[] => [...records(schema.anyOf), ...records(schema.oneOf)];

const isShare = ({ pattern }: Json): boolean => typeof pattern === 'string' && pattern.includes('%');

const singleType = (schema: Json): string => {
  if (Array.isArray(schema.enum)) return schema.enum.map(code).join(', ');
  if (schema.const !== undefined) return code(schema.const);
  if (isShare(schema)) return 'share such as `50%`';
  switch (schema.type) {
    case 'integer':
      return 'whole number';
    case 'boolean':
      return '`true`, `false`';
    case 'array':
      return listType(schema);
    case 'object':
      return 'mapping';
    case 'string':
      return 'text';
    default:
      return text(schema.type);
  }
};

const listType = ({ prefixItems, items }: Json): string => {
  if (Array.isArray(prefixItems))
    return `${prefixItems.length} ${records(prefixItems)[0]?.type === 'string' ? 'texts' : 'numbers'}`;
  return isRecord(items) ? `list of ${typeOf(items)}` : 'list';
};

const typeOf = (schema: Json): string => {
  const choices = alternatives(schema);
  return choices.length === 0 ? singleType(schema) : [...new Set(choices.map(singleType))].join(' or ');
};

/** The largest safe integer is no bound that anyone wrote. */
const boundOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER ? value : undefined;

const rangeOf = (schema: Json): string => {
  const [least, most] = [boundOf(schema.minimum), boundOf(schema.maximum)];
  const [above, below] = [boundOf(schema.exclusiveMinimum), boundOf(schema.exclusiveMaximum)];
  if (least !== undefined && most !== undefined) return `${least} to ${most}`;
  const parts = [
    above === undefined ? '' : `above ${above}`,
    least === undefined ? '' : `from ${least}`,
    below === undefined ? '' : `below ${below}`,
    most === undefined ? '' : `up to ${most}`,
  ];
  const own = parts.filter((part) => part !== '').join(', ');
  if (own !== '') return own;
  const inner = Array.isArray(schema.prefixItems) ? records(schema.prefixItems).slice(0, 1) : alternatives(schema);
  return [...new Set(inner.map(rangeOf).filter((part) => part !== ''))].join(' or ');
};

const sentence = (given: string): string => {
  const trimmed = given.trim().replace(/\.$/, '');
  return trimmed === '' ? '' : `${trimmed.charAt(0).toUpperCase()}${trimmed.slice(1)}.`;
};

const cell = (given: string): string => given.replaceAll('|', '\\|').replace(/\s+/g, ' ');

/** Kinds that an option may hold, told apart by `uses`: stages are described in their own section. */
const kindsOf = (schema: Json): readonly string[] =>
  alternatives(schema)
    .map((choice) => text(record(record(choice.properties).uses).const))
    .filter((uses) => uses !== '');

const isStage = (kind: string): boolean => stages.some(({ uses }) => uses === kind);

const link = (uses: string): string => (isStage(uses) ? `[\`${uses}\`](#${uses})` : code(uses));

const rowOf = (name: string, schema: Json, required: boolean): string => {
  const kinds = kindsOf(schema);
  const type = kinds.length > 0 ? `${kinds.map(link).join(' or ')} with its options` : typeOf(schema);
  const standard = required ? '*required*' : shownDefault(schema.default);
  const cells = [`\`${name}\``, type, standard, rangeOf(schema), sentence(text(schema.description))];
  return `| ${cells.map(cell).join(' | ')} |`;
};

/** Options of the entries of a list that `uses` tells apart: those that all have once, then those of each kind. */
const entryRows = (path: string, { items }: Json): readonly string[] => {
  const kinds = alternatives(record(items));
  const [first] = kinds;
  if (first === undefined || kindsOf(record(items)).length === 0) return [];
  const isShared = (name: string): boolean => kinds.every((kind) => name in record(kind.properties));
  const names = Object.keys(record(first.properties)).filter(isShared);
  const own = kinds.flatMap((kind) =>
    rowsOf(kind, names, `${path}.${text(record(record(kind.properties).uses).const)}.`),
  );
  const others = Object.keys(record(first.properties)).filter((name) => !isShared(name));
  return [...rowsOf({ properties: first.properties, required: [] }, ['uses', ...others], `${path}.`), ...own];
};

/** Options of each kind that an option may be, where kinds are no stages. */
const kindRows = (path: string, schema: Json): readonly string[] =>
  alternatives(schema).flatMap((choice) => {
    const uses = text(record(record(choice.properties).uses).const);
    return uses === '' || isStage(uses) ? [] : rowsOf(choice, ['uses'], `${path}.${uses}.`);
  });

/** One row an option; the options inside of a mapping follow it as `keep.heads`. */
const rowsOf = (schema: Json, skip: readonly string[], prefix = ''): readonly string[] => {
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(record(schema.properties)).flatMap(([name, value]) => {
    if (skip.includes(name)) return [];
    const option = record(value);
    const path = `${prefix}${name}`;
    return [
      rowOf(path, option, required.includes(name)),
      ...rowsOf(option, [], `${path}.`),
      ...kindRows(path, option),
      ...entryRows(path, option),
    ];
  });
};

const table = (rows: readonly string[]): readonly string[] =>
  rows.length === 0
    ? ['No options.', '']
    : ['| option | type | default | range | what it does |', '|---|---|---|---|---|', ...rows, ''];

/** What `from` may name, in words. */
const inputsOf = (schema: Json): string => {
  const named = alternatives(schema).find(({ type }) => type === 'object');
  const names = Object.keys(record(named?.properties));
  return names.length === 0 ? '' : `\`from\` takes a stage id, or named ids: ${names.map(code).join(', ')}.`;
};

const stageSection = (schema: Json): readonly string[] => {
  const inputs = inputsOf(record(record(schema.properties).from));
  return [
    `### ${text(schema.title)}`,
    '',
    text(schema.description),
    '',
    ...(inputs === '' ? [] : [inputs, '']),
    ...table(rowsOf(schema, ['id', 'uses', 'from'])),
  ];
};

const dataSection = (schema: Json): readonly string[] => {
  const uses = text(record(record(schema.properties).uses).const);
  const summary = datasets.find((dataset) => dataset.uses === uses)?.summary ?? '';
  return [`### ${uses}`, '', summary, '', ...table(rowsOf(schema, ['uses']))];
};

const intro = `# Reference

Every option of a pipeline file. Written by \`npm run docs\` from the schemas that check your file, the ones that
\`decant schema\` prints for editors; do not edit by hand. [The guide](guide.md) says what to choose.

A value can also be set on the command line: \`--set data.limit=2000\`, \`--set stages.student.epochs=5\`. Options without
a default are left out unless you write them.
`;

/** Sections of the file that are described below. */
const sections: Readonly<Record<string, Json>> = {
  data: { type: 'object', description: 'The texts and their classes: one of the kinds [below](#data)' },
  stages: { type: 'array', description: 'What happens to the model, in order: [below](#stages)' },
  gates: { type: 'object', description: 'Limits for the figures of stages: [below](#gates)' },
  measure: { type: 'object', description: 'How latency is measured after the last stage: [below](#measure)' },
};

/** The options that all stages share, as the first stage has them. */
const sharedOptions = (stage: Json): Json => {
  const { id, from } = record(stage.properties);
  const uses = { type: 'string', description: 'Kind of the stage: one of those below' };
  return { properties: { id, uses, from }, required: ['id', 'uses'] };
};

/** docs/reference.md: every stage, dataset and option of a catalogue. */
export const renderReference = (catalogue: Catalogue): string => {
  const schema = jsonSchema(catalogue);
  const properties = record(schema.properties);
  const stages = records(record(record(properties.stages).items).oneOf);
  const lines = [
    intro,
    '## The file',
    '',
    ...table(rowsOf({ ...schema, properties: { ...properties, ...sections } }, [])),
    '## data',
    '',
    ...alternatives(record(properties.data)).flatMap(dataSection),
    '## stages',
    '',
    'Every stage has these, and the options of its kind.',
    '',
    ...table(rowsOf(sharedOptions(record(stages[0])), [])),
    ...stages.flatMap(stageSection),
    '## gates',
    '',
    'Limits by stage id, such as `{ int8: { bytes: { max: 2MB } } }`. A failed one ends `decant run` with exit code 3.',
    'The section may be left out.',
    '',
    ...table(rowsOf(record(record(properties.gates).additionalProperties), [])),
    '## measure',
    '',
    'How latency is measured after the last stage. The section may be left out.',
    '',
    ...table(rowsOf(record(properties.measure), [])),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
};
