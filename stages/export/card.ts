import { thresholdOf } from '../../data/sets.ts';
import { clientLimits } from '../../data/tokenizers/client-limits.ts';
import { formats } from '../../graph/quantize/formats/index.ts';
import type { RuntimeNeed } from '../../graph/runtime.ts';
import { FOLDER } from '../../ground/reported/stage.ts';
import { modelTask, writes } from '../../ground/tasks.ts';
import type { Model, ModelInfo } from '../../models/model.ts';
import { onnxFile, type Precision } from '../../models/precision.ts';
import { readsTexts } from '../../models/signature.ts';
import { clientClassOf } from './families.ts';
import { ownNames } from './names.ts';
import { UNTITLED } from './placeholder.ts';
import { asksForTypes } from './tokens.ts';
import { browserUsage, nodeUsage, pythonUsage, type Used, usedOf } from './usage.ts';

const dimensionNames: Readonly<Record<string, string>> = {
  embedding: 'embedding width',
  hidden: 'hidden width',
  heads: 'attention heads',
  kvHeads: 'heads of keys and values',
  headWidth: 'width of a head',
  ffn: 'feed-forward width',
  vocabulary: 'tokens in the vocabulary',
  patch: 'edge of a patch',
  decoderLayers: 'layers that write',
};

const contents = new Map<Precision, string>([
  ['fp32', '32-bit floating point'],
  ...formats.map(({ dtype, summary }) => [dtype, summary] as const),
]);

const fileLine = (precision: Precision): string => `- \`${onnxFile(precision)}\`: ${contents.get(precision) ?? ''}`;

/** Names from data or a model file on one line, with no markup beginning in them. */
const inert = (text: string): string =>
  text
    .replace(/[\s\p{Cc}\u202a-\u202e\u2066-\u2069]+/gu, ' ')
    .replace(/[\\`*_[\]<>|#&]/g, (c) => (c === '<' ? '&lt;' : c === '>' ? '&gt;' : c === '&' ? '&amp;' : `\\${c}`))
    .trim();

/** Where transformers.js has no class for a family and task, config.json names another; the card says so. */
const standIn = (info: ModelInfo): string => {
  const { modelType } = clientClassOf(info);
  return modelType === info.modelType
    ? ''
    : `\nIts architecture is ${inert(info.modelType)}. config.json names \`${modelType}\`, for transformers.js has no class of its own for this task.\n`;
};

const needed = ({ minor, opset, format }: RuntimeNeed): string =>
  `needs ONNX Runtime 1.${minor} or later (operator set ${opset}, file format ${format})`;

/** What of the tokenizer the client that the folder is for does not carry out. */
const clientSection = (tokenizer: Model['tokenizer']): string => {
  const limits = tokenizer === undefined ? [] : clientLimits(tokenizer);
  if (limits.length === 0) return '';
  const lines = limits.map((limit) => `- ${inert(limit)}`).join('\n');
  return `\n## In transformers.js\nIts tokenizer does not carry out these settings of tokenizer.json, so some texts become other tokens than in Python:\n\n${lines}\n`;
};

/** Where no class of transformers.js fits the tokenizer, the types of a pair have to be asked for. */
const pairNote = (info: ModelInfo, tokenizer: Model['tokenizer']): string =>
  tokenizer !== undefined && asksForTypes(info, tokenizer)
    ? '\nPairs of texts: `tokenizer(text, { text_pair, return_token_type_ids: true })`; without it transformers.js leaves out ' +
      'which text a token belongs to.\n'
    : '';

/** Where a client shows probabilities alone, the reader needs to know from where on a class is said. */
const thresholdSection = ({ task, labels, processor: { thresholds } }: ModelInfo): string => {
  if (modelTask(task).answer !== 'set') return '';
  if (thresholds === undefined) return '\nA text has each class whose score is above 0.5: several, one, or none.\n';
  const rows = labels.map((label, c) => `| ${inert(label)} | ${thresholdOf(thresholds, c)} |`);
  return (
    '\nA text has each class whose score is above its threshold, chosen on validation texts: several, one, or none. Programs ' +
    `find them in config.json under \`thresholds\`.\n\n| class | threshold |\n|---|---:|\n${rows.join('\n')}\n`
  );
};

/** What a card says that no model tells. */
export interface CardWords {
  /** Where its figures are, or empty where nobody measured any. */
  readonly results: string;
  /** Codes of the languages of its texts; none where nobody said. */
  readonly languages: readonly string[];
}

const javascript = (title: string, text: string): string => `${title}:\n\n\`\`\`js\n${text}\n\`\`\``;

/** How clients use it; one that goes by names of its own they cannot. */
const clientUse = (used: Used): string => {
  const own = ownNames(used.info).map(
    ({ name, role, client }) =>
      `- ${inert(name)}: ${role}${client === undefined ? '' : `, which transformers.js calls ${client}`}`,
  );
  return own.length === 0
    ? `${javascript('In Node', nodeUsage(used))}\n\n${javascript('In a browser', browserUsage(used))}`
    : `The graph keeps the names of the file that it was made from, so transformers.js cannot feed it; ONNX Runtime does, as below.\n\n${own.join('\n')}`;
};

const languageLine = ({ signature }: ModelInfo, languages: readonly string[]): string =>
  readsTexts(signature) ? `Languages: ${languages.length === 0 ? 'not known' : languages.join(', ')}.\n` : '';

/** What it reads at most, or alone. */
const readsOf = ({ maxLength, processor: { pixels } }: ModelInfo): string =>
  pixels === undefined
    ? `longest text: ${maxLength} tokens`
    : `images: ${pixels.width} x ${pixels.height} pixels, ${pixels.channels === 1 ? 'grey' : `${pixels.channels} channels`}`;

/** README.md of an exported folder. */
export const modelCard = (
  model: Omit<Model, 'graph'>,
  files: ReadonlyMap<Precision, RuntimeNeed>,
  { results, languages }: CardWords,
): string => {
  const { info, tokenizer } = model;
  const sizes = Object.entries(info.dimensions).map(
    ([name, size]) => `- ${dimensionNames[name] ?? inert(name)}: ${size}`,
  );
  const classes = info.labels.length === 0 ? '' : `\nClasses: ${info.labels.map(inert).join(', ')}\n`;
  const used = usedOf(model, [...files.keys()]);
  return `---
library_name: transformers.js
pipeline_tag: ${modelTask(info.task).pipeline}
${languages.length === 0 ? '' : `language: [${languages.map((code) => `"${code}"`).join(', ')}]\n`}---
# ${UNTITLED}

Made by decant${info.origin === undefined ? '' : ` from: ${inert(info.origin)}`}.
${results === '' ? '' : `${results}\n`}
${languageLine(info, languages)}${classes}${standIn(info)}
## Files
${[...files].map(([file, need]) => `${fileLine(file)}; ${needed(need)}`).join('\n')}

## Shape
${sizes.join('\n')}
- ${readsOf(info)}
${clientSection(tokenizer)}
## Use
On the command line: \`npx decant ${writes(info.task) ? 'generate' : 'predict'} ${FOLDER} ${info.processor.pixels === undefined ? '"Some text."' : 'image.png'}\`

${clientUse(used)}

In Python:

\`\`\`py
${pythonUsage(used)}
\`\`\`
${thresholdSection(info)}
In Node, start it with \`ORT_DISABLE_TELEMETRY=1\`: ONNX Runtime 1.29 and later sends telemetry otherwise.
${pairNote(info, tokenizer)}`;
};
