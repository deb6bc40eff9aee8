import { accuracy } from '../../ground/metrics/index.ts';
import { type Html, html } from './html.ts';

/** What a word of the report means, for whoever meets it there first. */
interface Term {
  readonly id: string;
  /** The headings that it stands in, whole. */
  readonly heading: RegExp;
  readonly means: string;
}

const INTERVAL = 'In brackets: where the true figure lies for 95 of 100 test splits that could have been drawn.';

const term = (id: string, heading: RegExp, means: string): Term => ({ id, heading, means });

const terms: readonly Term[] = [
  term(accuracy.name, /^(word |entity )?accuracy( %)?( \[95 %\])?$/i, `How many of 100 answers are right. ${INTERVAL}`),
  term('change', /^(points|difference)( \[95 %\])?$/, `The score minus the reference's on the same texts. ${INTERVAL}`),
  term(
    'bytes',
    /^(bytes|size)$/i,
    'What the model takes on disk: graph and weights. Of a baseline: its terms and their weights.',
  ),
  term(
    'p50',
    /^(p50 ms( \[95 %\])?|median latency)$/i,
    'Half of the runs take less, half take more: one run is one text, unless a batch is named. Tokenizing is not in it, but of baselines splitting is.',
  ),
  term('tail', /^p(90|95|99)( ms)?$/, 'So many of 100 runs take less: what the slow ones take.'),
  term('throughput', /^texts\/s(, batch \d+)?$/, 'Texts in a second at the median latency, one run after the other.'),
  term(
    'speed-up',
    /^speed-up( \[95 %\])?$/i,
    'How many times as fast as the reference, from runs that took turns on the same machine: it holds better than the times themselves.',
  ),
  term('agrees', /^agrees %$/, 'How many of 100 answers are those of the reference, right or wrong.'),
  term(
    'parameters',
    /^(parameters|non-zero)$/,
    'Numbers that were learnt. Zeros compress well, but alone make nothing faster.',
  ),
  term('gzip', /^gzip$/, 'What is left of the bytes after gzip: what a download takes.'),
  term(
    'macs',
    /^MACs$/,
    'Multiply-accumulates of one text of the median length: the work on paper, which time does not follow one to one.',
  ),
  term(
    'macro-f1',
    /^macro F1( %)?( \[95 %\])?$/i,
    'The mean of the F1 of each class, small ones counting as much as large ones.',
  ),
  term('micro-f1', /^micro F1( %)?( \[95 %\])?$/i, 'The F1 of all answers to "has this text this class?" together.'),
  term(
    'entity-f1',
    /^entity F1( %)?( \[95 %\])?$/i,
    'The F1 of whole entities: beginning, end and kind must all be right.',
  ),
  term(
    'subset-accuracy',
    /^subset accuracy( %)?( \[95 %\])?$/i,
    'How many of 100 texts have all their classes right, none left out and none too many.',
  ),
  term('precision', /^precision %$/, 'Of 100 times that the class was said, how often it was true.'),
  term('recall', /^recall %$/, 'Of 100 examples of the class, how many were found.'),
  term('f1', /^F1 %( \[95 %\])?$/, `The harmonic mean of precision and recall. ${INTERVAL}`),
  term('loss', /^loss( \[95 %\])?$/i, 'How surprised the model is by what is true, in nats; 0 is best.'),
  term(
    'calibration',
    /^calibration error( %)?$/i,
    'How far what the model says of its own certainty is from how often it is right; 0 is best.',
  ),
  term(
    'correlation',
    /^(Spearman|Pearson|rank correlation)( correlation)?( \[95 %\])?$/i,
    'Whether numbers rise together: 1 always, 0 not at all. Spearman looks at their order alone.',
  ),
  term(
    'squared-error',
    /^mean squared error( \[95 %\])?$/i,
    'The mean of the squared distance from the truth, in the square of its unit.',
  ),
  term(
    'cosine',
    /^cosine to (the )?teacher( \[95 %\])?$/i,
    'Whether vectors point the same way as those of the teacher: 1 is the same.',
  ),
  term(
    'nats',
    /^(nats per token|perplexity)( \[95 %\])?$/i,
    'How surprised the model is by the hidden words. Perplexity says the same as a number of equally likely words.',
  ),
  term(
    'p-value',
    /^p$/,
    'How often chance alone would make a difference as large. Below 0.05 it is called clear here.',
  ),
  term('gained', /^(gained|lost)$/, 'Examples that only this model has right, and that only the other one has right.'),
  term('kl', /^KL nats$/, "How far this model's probabilities are from those of the other; 0 is the same."),
  term(
    'kernel',
    /^times the kernel( \[95 %\])?$/,
    'The time over that of one fixed piece of work of the same rounds: comparable across machines.',
  ),
  term('session', /^(session ms|load time)$/i, 'From the file to a model that can answer.'),
  term('first-run', /^first run ms$/, 'The first answer, which is slower than the later ones.'),
  term('memory', /^peak memory$/i, 'The most memory that the process ever took, Node and the runtime in it.'),
];

const termOf = (heading: string): Term | undefined => terms.find((one) => one.heading.test(heading));

/** A heading, as a button that explains it where it is a term. No script: the browser opens and closes what it points at. */
export const explained = (heading: string): Html => {
  const found = termOf(heading);
  return found === undefined
    ? html`${heading}`
    : html`<button type="button" class="term" popovertarget="term-${found.id}">${heading}</button>`;
};

/** The explanations that a page points at. */
export const explanations = ({ markup }: Html): readonly Html[] => {
  const asked = new Set([...markup.matchAll(/ popovertarget="term-([\w-]+)"/g)].map(([, id]) => id));
  return terms
    .filter(({ id }) => asked.has(id))
    .map(({ id, means }) => html`<div id="term-${id}" class="means" popover>${means}</div>\n`);
};
