import { extname } from 'node:path';
import { type Sample, samplers } from './samples.ts';

/** What a file seems to hold. `text`, `pair` and `label` are undefined where no column looks the part. */
export interface DataGuess {
  /** The dataset kind that reads it. */
  readonly uses: keyof typeof samplers;
  /** Only of tables of text. */
  readonly delimiter?: string;
  readonly columns: readonly string[];
  readonly text: string | undefined;
  readonly pair: string | undefined;
  readonly label: string | undefined;
  /** Classes among the rows that were looked at, sorted. */
  readonly classes: readonly string[];
  /** Rows that were looked at. */
  readonly rows: number;
}

const MOST_CLASSES = 200;

interface Column {
  readonly name: string;
  readonly averageLength: number;
  readonly distinct: ReadonlySet<string>;
}

const columnsOf = ({ columns, rows }: Sample): readonly Column[] =>
  columns.map((name, i) => {
    const values = rows.map((row) => row[i]?.trim() ?? '');
    const averageLength = values.reduce((sum, value) => sum + value.length, 0) / Math.max(1, rows.length);
    return { name, averageLength, distinct: new Set(values.filter((value) => value !== '')) };
  });

const labelNames = /^(label|class|category|target|intent|sentiment|topic|tag|y)s?$/i;
const textNames = /^(text|sentence|content|message|body|review|comment|description|utterance|question|title)s?$/i;

/** Names under which pairs of texts are published. */
const pairNames = [
  [/^premise$/i, /^hypothesis$/i],
  [/^(sentence|text|question)_?1$/i, /^(sentence|text|question)_?2$/i],
  [/^(question|query)$/i, /^(passage|context|document|answer|sentence)$/i],
] as const;

const best = (columns: readonly Column[], score: (column: Column) => number): Column | undefined =>
  columns.toSorted((a, b) => score(b) - score(a))[0];

/** Two columns that are named as pairs are, or the one of the texts: the longest values, a telling name beats length. */
const textColumns = (columns: readonly Column[]): readonly [Column | undefined, Column | undefined] => {
  for (const [first, second] of pairNames) {
    const found = [
      columns.find(({ name }) => first.test(name)),
      columns.find(({ name }) => second.test(name)),
    ] as const;
    if (found[0] !== undefined && found[1] !== undefined) return found;
  }
  return [
    best(columns, ({ name, averageLength }) => averageLength + (textNames.test(name) ? 1e6 : 0)),
    undefined,
  ] as const;
};

/** A label repeats: few distinct values for many rows; a telling name beats counts. */
const labelColumn = (columns: readonly Column[], rows: number): Column | undefined =>
  best(
    columns.filter(({ distinct }) => distinct.size >= 2 && distinct.size <= Math.min(MOST_CLASSES, rows / 2)),
    ({ name, distinct }) => (labelNames.test(name) ? 1e6 : 0) - distinct.size,
  );

const usesOf = (path: string): DataGuess['uses'] => {
  const ending = extname(path).toLowerCase();
  if (ending === '.parquet') return 'parquet';
  return ending === '.jsonl' || ending === '.ndjson' ? 'jsonl' : 'csv';
};

/** Looks at the start of a file and guesses its format and which columns hold texts and classes. */
export const sniff = async (path: string): Promise<DataGuess> => {
  const uses = usesOf(path);
  const sample = await samplers[uses]({ shown: path, path });
  const columns = columnsOf(sample);
  const [text, pair] = textColumns(columns);
  const others = columns.filter((column) => column !== text && column !== pair);
  const label = labelColumn(others, sample.rows.length);
  return {
    uses,
    ...(sample.delimiter === undefined ? {} : { delimiter: sample.delimiter }),
    columns: sample.columns,
    text: text?.name,
    pair: pair?.name,
    label: label?.name,
    classes: [...(label?.distinct ?? [])].sort(),
    rows: sample.rows.length,
  };
};
