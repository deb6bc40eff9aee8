import type { Precision } from '../../models/files.ts';
import type { ModelInfo } from '../../models/model.ts';

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

const usage = (info: ModelInfo): string =>
  info.task === 'text-classification'
    ? `const classify = await pipeline('text-classification', 'path/to/this/folder');
console.log(await classify('Some text.'));`
    : `const extract = await pipeline('feature-extraction', 'path/to/this/folder');
console.log(await extract('Some text.', { pooling: 'mean' }));`;

/**
 * Stands where the run puts its results when they are known: an export comes before measurement, and the stored folder
 * must not depend on it.
 */
export const RESULTS_PLACEHOLDER =
  'Accuracy, latency and how they were measured are in the report of the run that made it.';

/** Names from data or a model file on one line, with no markup beginning in them. */
const inert = (text: string): string =>
  text
    .replace(/[\s\p{Cc}\u202a-\u202e\u2066-\u2069]+/gu, ' ')
    .replace(/[\\`*_[\]<>|#&]/g, (c) => (c === '<' ? '&lt;' : c === '>' ? '&gt;' : c === '&' ? '&amp;' : `\\${c}`))
    .trim();

/** README.md of an exported folder. */
export const modelCard = (info: ModelInfo, files: readonly Precision[]): string => {
  const sizes = Object.entries(info.dimensions).map(
    ([name, size]) => `- ${dimensionNames[name] ?? inert(name)}: ${size}`,
  );
  const classes = info.labels.length === 0 ? '' : `\nClasses: ${info.labels.map(inert).join(', ')}\n`;
  return `---
library_name: transformers.js
pipeline_tag: ${info.task === 'text-classification' ? 'text-classification' : 'feature-extraction'}
---
# A compressed Transformer

Made by decant${info.origin === undefined ? '' : ` from: ${inert(info.origin)}`}.
${RESULTS_PLACEHOLDER}
${classes}
## Files
${files.map((file) => fileLines[file]).join('\n')}

## Shape
${sizes.join('\n')}
- longest text: ${info.maxLength} tokens

## Use
\`\`\`js
import { pipeline } from '@huggingface/transformers';

${usage(info)}
\`\`\`
`;
};
