import { thresholdOf } from '../../data/sets.ts';
import { clientLimits } from '../../data/tokenizers/client-limits.ts';
import type { RuntimeNeed } from '../../graph/runtime.ts';
import { dataTask, modelTask } from '../../ground/tasks.ts';
import type { Precision } from '../../models/files.ts';
import type { Model, ModelInfo } from '../../models/model.ts';
import { clientClassOf } from './families.ts';
import { asksForTypes, specialTokens } from './tokens.ts';

const dimensionNames: Readonly<Record<string, string>> = {
  embedding: 'embedding width',
  hidden: 'hidden width',
  heads: 'attention heads',
  ffn: 'feed-forward width',
  vocabulary: 'tokens in the vocabulary',
};

const fileLines: Readonly<Record<Precision, string>> = {
  fp32: '- `onnx/model.onnx`: 32-bit floating point',
  q8: '- `onnx/model_quantized.onnx`: 8-bit weights, activations quantized while it runs',
};

/** How one vector of a text is made: as the checkpoint's makers said, or the mean as a first thing to try. */
const poolingOf = ({ processor: { sentence } }: ModelInfo): string => {
  const pooling = sentence?.pooling === 'first' ? 'cls' : 'mean';
  return `{ pooling: '${pooling}'${sentence?.normalize === true ? ', normalize: true' : ''} }`;
};

const call = (info: ModelInfo, mask: string): string => {
  const { about, answer } = modelTask(info.task);
  if (answer === 'vector') return `await run('Some text.', ${poolingOf(info)})`;
  switch (about) {
    case 'text':
      return answer === 'set' ? `await run('Some text.', { top_k: null })` : `await run('Some text.')`;
    case 'word':
      return dataTask(info.task).truth === 'entities'
        ? `await run('Some text.', { aggregation_strategy: 'simple' })`
        : `await run('Some text.', { ignore_labels: [] })`;
    case 'token':
      return `await run(${JSON.stringify(`Some ${mask} text.`)})`;
  }
};

const pipelineUsage = (info: ModelInfo, mask: string): string =>
  `import { pipeline } from '@huggingface/transformers';

const run = await pipeline('${modelTask(info.task).pipeline}', './path/to/this/folder');
console.log(${call(info, mask)});`;

/** What is done to a logit, in the client's language. */
const numberFrom = ({ processor: { activation } }: ModelInfo): string =>
  activation === 'sigmoid' ? '1 / (1 + Math.exp(-logits.data[0]))' : 'logits.data[0]';

/** No pipeline gives a number: that of texts makes shares of scores, and of a single one the share is always 1. */
const numberUsage = (info: ModelInfo): string =>
  `import { AutoModelForSequenceClassification, AutoTokenizer } from '@huggingface/transformers';

const tokenizer = await AutoTokenizer.from_pretrained('./path/to/this/folder');
const model = await AutoModelForSequenceClassification.from_pretrained('./path/to/this/folder');
// Of a pair: tokenizer('Some text.', { text_pair: 'Another text.', truncation: true })
const { logits } = await model(tokenizer('Some text.', { truncation: true }));
console.log(${numberFrom(info)});
// Not pipeline('${modelTask(info.task).pipeline}', ...): it makes 1 of any single number.`;

const usage = (info: ModelInfo, mask: string): string =>
  modelTask(info.task).answer === 'number' ? numberUsage(info) : pipelineUsage(info, mask);

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
  const limits = clientLimits(tokenizer);
  if (limits.length === 0) return '';
  const lines = limits.map((limit) => `- ${inert(limit)}`).join('\n');
  return `\n## In transformers.js\nIts tokenizer does not carry out these settings of tokenizer.json, so some texts become other tokens than in Python:\n\n${lines}\n`;
};

/** Where no class of transformers.js fits the tokenizer, the types of a pair have to be asked for. */
const pairNote = (info: ModelInfo, tokenizer: Model['tokenizer']): string =>
  asksForTypes(info, tokenizer)
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

/** README.md of an exported folder. `results` says where its figures are, or is empty where nobody measured any. */
export const modelCard = (
  { info, tokenizer }: Omit<Model, 'graph'>,
  files: ReadonlyMap<Precision, RuntimeNeed>,
  results: string,
): string => {
  const sizes = Object.entries(info.dimensions).map(
    ([name, size]) => `- ${dimensionNames[name] ?? inert(name)}: ${size}`,
  );
  const classes = info.labels.length === 0 ? '' : `\nClasses: ${info.labels.map(inert).join(', ')}\n`;
  const { mask_token: mask = '' } = specialTokens(info, tokenizer);
  return `---
library_name: transformers.js
pipeline_tag: ${modelTask(info.task).pipeline}
---
# A compressed Transformer

Made by decant${info.origin === undefined ? '' : ` from: ${inert(info.origin)}`}.
${results === '' ? '' : `${results}\n`}${classes}${standIn(info)}
## Files
${[...files].map(([file, need]) => `${fileLines[file]}; ${needed(need)}`).join('\n')}

## Shape
${sizes.join('\n')}
- longest text: ${info.maxLength} tokens
${clientSection(tokenizer)}
## Use
\`\`\`js
${usage(info, mask.replaceAll('`', ''))}
\`\`\`
${thresholdSection(info)}
In Node, start it with \`ORT_DISABLE_TELEMETRY=1\`: ONNX Runtime 1.29 and later sends telemetry otherwise.
${pairNote(info, tokenizer)}`;
};
