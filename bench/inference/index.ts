import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { answersOf, distance, type TestTexts, testTexts } from './accuracy.ts';
import { type Contender, makeFiles, type Subject } from './files.ts';
import { type Cell, type Result, race } from './race.ts';

const precisions = ['fp32', 'int8'] as const;

const shapes = [
  { batch: 1, length: 12 },
  { batch: 1, length: 128 },
  { batch: 32, length: 12 },
] as const;

/** Figures of one precision of one model. */
interface Part {
  readonly model: string;
  readonly precision: 'fp32' | 'int8';
  readonly bytes: number;
  readonly rivalBytes: number | null;
  /** Shares of the test split. */
  readonly accuracy: number | null;
  readonly rivalAccuracy: number | null;
  /** How far the logits are from those of decant's float file, relative to their size. */
  readonly distance: number | null;
  readonly rivalDistance: number | null;
  readonly cells: readonly {
    readonly batch: number;
    readonly length: number;
    readonly threads: number;
    readonly ms: number;
    readonly rivalMs: number | null;
    readonly rival: string | null;
    readonly ratio: number | null;
  }[];
}

interface Options {
  readonly rounds: number;
  readonly threads: readonly number[];
  readonly say: (line: string) => void;
}

const cellsFor = ({ id, model }: Subject, { threads, say }: Options): readonly Cell[] => {
  const fitting = shapes.map(({ batch, length }) => ({ batch, length: Math.min(length, model.info.maxLength) }));
  const cut = fitting.find(({ length }, i) => length !== shapes[i]?.length);
  if (cut !== undefined) say(`${id}: length ${cut.length} stands for longer ones: the model has no more positions`);
  return threads.flatMap((count) => fitting.map((shape) => ({ ...shape, threads: count })));
};

const isRival = ({ maker }: Contender): boolean => maker === 'onnxruntime';

const fastestRival = ({ times }: Result) =>
  times.filter(({ contender }) => isRival(contender)).toSorted((a, b) => a.ms - b.ms)[0];

const cellOf = (result: Result): Part['cells'][number] => {
  const rival = fastestRival(result);
  const ours = result.times.find(({ contender }) => !isRival(contender));
  return {
    ...result.cell,
    ms: ours?.ms ?? Number.NaN,
    rivalMs: rival?.ms ?? null,
    rival: rival?.contender.recipe ?? null,
    ratio: result.ratio ?? null,
  };
};

const lineOf = ({ batch, length, threads, ms, rivalMs, rival, ratio }: Part['cells'][number]): string => {
  const shape = `  batch ${batch} x ${length}, ${threads} thread${threads === 1 ? '' : 's'}: ${ms.toFixed(3)} ms`;
  return ratio === null ? shape : `${shape}, ONNX Runtime ${rivalMs?.toFixed(3)} (${rival}), ratio ${ratio.toFixed(3)}`;
};

const percent = (share: number): string => (100 * share).toFixed(2);

/** The rival that was the fastest in most cells. */
const champion = (results: readonly Result[]): Contender | undefined => {
  const winners = results.flatMap((result) => fastestRival(result)?.contender ?? []);
  const wins = (one: Contender): number => winners.filter((winner) => winner === one).length;
  return winners.toSorted((a, b) => wins(b) - wins(a))[0];
};

type Judgement = Pick<Part, 'accuracy' | 'rivalAccuracy' | 'distance' | 'rivalDistance'>;

/** Accuracy of decant's file and of the rival, and how far both are from the float model. */
const judge = async (
  { model, contenders }: Subject,
  texts: TestTexts,
  own: Contender | undefined,
  rival: Contender | undefined,
): Promise<Judgement> => {
  const nothing: Judgement = { accuracy: null, rivalAccuracy: null, distance: null, rivalDistance: null };
  const float = contenders.find((file) => !isRival(file) && file.precision === 'fp32');
  if (texts.labels === undefined || own === undefined || float === undefined) return nothing;
  const reference = await answersOf(float, model, texts);
  const mine = own === float ? reference : await answersOf(own, model, texts);
  const judged = {
    ...nothing,
    accuracy: mine.accuracy,
    distance: distance(reference.logits, mine.logits),
  };
  if (rival === undefined) return judged;
  const theirs = await answersOf(rival, model, texts);
  return { ...judged, rivalAccuracy: theirs.accuracy, rivalDistance: distance(reference.logits, theirs.logits) };
};

/** Texts whose tokens fill the measured batches. */
const TEXTS_TO_FILL = 2000;

const comparePart = async (
  subject: Subject,
  precision: 'fp32' | 'int8',
  texts: TestTexts,
  options: Options,
): Promise<Part> => {
  const files = subject.contenders.filter((contender) => contender.precision === precision);
  const examples = texts.texts.slice(0, TEXTS_TO_FILL);
  const results = await race(files, subject.model.info, {
    cells: cellsFor(subject, options),
    examples,
    rounds: options.rounds,
  });
  const own = files.find((file) => !isRival(file));
  const rival = champion(results);
  return {
    model: subject.id,
    precision,
    bytes: own?.bytes ?? 0,
    rivalBytes: rival?.bytes ?? null,
    ...(await judge(subject, texts, own, rival)),
    cells: results.map(cellOf),
  };
};

const beside = (shown: string, rival: string | null): string =>
  rival === null ? shown : `${shown} (ONNX Runtime ${rival})`;

const sayPart = (part: Part, say: Options['say']): void => {
  const { model, precision, bytes, rivalBytes, accuracy, rivalAccuracy, distance: gap, rivalDistance } = part;
  const figures = [
    beside(`${bytes} bytes`, rivalBytes === null ? null : `${rivalBytes}`),
    accuracy === null
      ? 'accuracy not taken: other classes than WordNet'
      : beside(`${percent(accuracy)} %`, rivalAccuracy === null ? null : percent(rivalAccuracy)),
    ...(gap === null
      ? []
      : [
          beside(`logits ${percent(gap)} % off the float file`, rivalDistance === null ? null : percent(rivalDistance)),
        ]),
  ];
  say(`${model} ${precision}: ${figures.join(', ')}`);
  for (const cell of part.cells) say(lineOf(cell));
};

const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/** The ratios of all cells, and the accuracy that quantizing with decant costs beyond what the rival's does. */
const summary = (parts: readonly Part[]): Readonly<Record<string, number>> => {
  const ratios = parts.flatMap(({ cells }) => cells.flatMap(({ ratio }) => ratio ?? []));
  const losses = parts.flatMap(({ accuracy, rivalAccuracy }) =>
    accuracy === null || rivalAccuracy === null ? [] : [100 * (rivalAccuracy - accuracy)],
  );
  return {
    ...(ratios.length === 0 ? {} : { ratio: geometricMean(ratios), worstRatio: Math.max(...ratios) }),
    ...(losses.length === 0 ? {} : { worstLossOfPoints: Math.max(...losses) }),
  };
};

/**
 * Exported fp32 and INT8 files against what ONNX Runtime's transformer optimizer and quantizer make of the same weights:
 * p50 in alternating turns within one process, and accuracy on WordNet's test split.
 */
export const benchInference = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      run: { type: 'string', default: 'runs/wordnet-supersense' },
      models: { type: 'string', default: 'student,teacher' },
      python: { type: 'string' },
      threads: { type: 'string', default: '1,2' },
      rounds: { type: 'string', default: '9' },
      keep: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const say = (line: string): void => void (values.json ? process.stderr : process.stdout).write(`${line}\n`);
  const options: Options = { rounds: Number(values.rounds), threads: values.threads.split(',').map(Number), say };
  if (values.python === undefined) {
    say("ONNX Runtime's optimizer and quantizer are skipped: --python PATH names an interpreter that has onnxruntime");
  }
  const folder = values.keep ?? (await mkdtemp(join(tmpdir(), 'decant-bench-')));
  const parts: Part[] = [];
  try {
    for (const id of values.models.split(',')) {
      const subject = await makeFiles(values.run, id, { folder, python: values.python });
      const texts = await testTexts(subject.model);
      for (const precision of precisions) {
        const part = await comparePart(subject, precision, texts, options);
        parts.push(part);
        sayPart(part, say);
      }
    }
  } finally {
    if (values.keep === undefined) await rm(folder, { recursive: true, force: true });
  }
  const figures = summary(parts);
  say(
    Object.entries(figures)
      .map(([name, value]) => `${name} ${value.toFixed(3)}`)
      .join(', '),
  );
  if (values.json) process.stdout.write(`${JSON.stringify({ ...figures, parts })}\n`);
};
