import { AutoModelForSequenceClassification, AutoTokenizer, pipeline } from '@huggingface/transformers';

const SHOWN_LABELS = 3;

/** Rows of a panel: what was said, and how sure the model is where it says so. */
const descending = (rows) => rows.toSorted((a, b) => b.score - a.score);

const softmax = (logits) => {
  const highest = Math.max(...logits);
  const exponentials = logits.map((logit) => Math.exp(logit - highest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((x) => x / sum);
};
const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/** What a model says of a text or of a pair, in logits. */
const logitsFrom = async (name, dtype) => {
  const tokenizer = await AutoTokenizer.from_pretrained(name);
  const model = await AutoModelForSequenceClassification.from_pretrained(name, { dtype });
  return async (text, pair) => {
    const { logits } = await model(tokenizer(text, { text_pair: pair === '' ? null : pair, truncation: true }));
    return [...logits.data];
  };
};

const withLogits = (rowsOf) => async (name, dtype, config) => {
  const ask = await logitsFrom(name, dtype);
  return async (text, pair) => rowsOf(await ask(text, pair), config);
};

const withPipeline = (task, options, row) => async (name, dtype) => {
  const run = await pipeline(task, name, { dtype });
  return async (text) => [await run(text, options)].flat(2).map((one) => ({ label: row(one), score: one.score }));
};

const named = (scores, { id2label }) => scores.map((score, c) => ({ label: id2label[c], score }));

/** By the task of a model, how it is loaded to be asked. */
const ways = {
  'text-classification': withLogits((logits, config) =>
    descending(named(softmax(logits), config)).slice(0, SHOWN_LABELS),
  ),
  'multi-label': withLogits((logits, config) => descending(named(logits.map(sigmoid), config))),
  score: withLogits(([logit], { decant }) => {
    const number = decant.model.processor.activation === 'sigmoid' ? sigmoid(logit) : logit;
    return [{ label: String(Number(number.toPrecision(4))) }];
  }),
  'named-entities': withPipeline(
    'token-classification',
    { aggregation_strategy: 'simple' },
    ({ entity_group, word }) => `${entity_group}: ${word}`,
  ),
  'token-classification': withPipeline(
    'token-classification',
    { ignore_labels: [] },
    ({ entity, word }) => `${word}: ${entity}`,
  ),
  'fill-mask': withPipeline('fill-mask', { top_k: SHOWN_LABELS }, ({ token_str }) => token_str),
};

/** A function of a text and its pair that gives rows; what no row can show is refused. */
export const loadWay = async (name, dtype, config) => {
  const task = config.decant?.model?.task ?? 'text-classification';
  const way = ways[task];
  if (way === undefined)
    throw new Error(`"${name}" is made for ${task}: its README.md has the lines for such a model.`);
  return await way(name, dtype, config);
};
