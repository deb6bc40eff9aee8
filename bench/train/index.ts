import { parseArgs } from 'node:util';
import type { Engine } from '../../engine/engine.ts';
import { openEngine } from '../../engine/engines/index.ts';
import { type Precision, precisions } from '../../engine/precision.ts';
import { peakOfOurs } from './peak.ts';
import { printProfile } from './profile.ts';
import { sgemmRatio } from './sgemm.ts';
import { ours, type Side, torch } from './sides.ts';
import {
  cardSubjects,
  describe,
  evenTexts,
  pretrainedSubjects,
  type Setting,
  type Subject,
  subjects,
  textSubject,
  wordnetTexts,
} from './subject.ts';

const WARM_UP_STEPS = 3;
const SECONDS_A_ROUND = 2;
/** Updates over which the losses of both sides are compared, at most. */
const LOSSES = 50;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

interface Speeds {
  /** Tokens a second of each side, median over the rounds. */
  readonly medians: readonly number[];
  /** First side over the others, round by round, then the median. */
  readonly ratios: readonly number[];
  /** Largest relative difference of a loss of another side from the first side's, and over how many updates. */
  readonly lossGap: { readonly gap: number; readonly updates: number };
}

/** Rounds A B A B of equally many updates, so that a machine whose speed swings treats all alike. */
const alternate = async (sides: readonly Side[], rounds: number): Promise<Speeds> => {
  const losses: number[][] = sides.map(() => []);
  const speeds: number[][] = sides.map(() => []);
  const stretch = async (side: Side, i: number, steps: number): Promise<number> => {
    const { seconds, tokens, losses: seen } = await side.run(steps);
    losses[i]?.push(...seen);
    speeds[i]?.push(tokens / seconds);
    return seconds;
  };
  for (const [i, side] of sides.entries()) await stretch(side, i, WARM_UP_STEPS);
  const [first] = sides;
  const once = first === undefined ? 1 : (await stretch(first, 0, WARM_UP_STEPS)) / WARM_UP_STEPS;
  for (const [i, side] of sides.entries()) if (i > 0) await stretch(side, i, WARM_UP_STEPS);
  for (const one of speeds) one.length = 0;
  const steps = Math.max(2, Math.round(SECONDS_A_ROUND / once));
  for (let round = 0; round < rounds; round++) {
    for (const [i, side] of sides.entries()) await stretch(side, i, steps);
  }
  const [mine = [], ...others] = speeds;
  const [myLosses = [], ...otherLosses] = losses.map((one) => one.slice(0, LOSSES));
  const gaps = otherLosses.flatMap((theirs) =>
    theirs.map((loss, i) => Math.abs(loss / (myLosses[i] ?? Number.NaN) - 1)),
  );
  return {
    medians: speeds.map(median),
    ratios: others.map((theirs) => median(mine.map((speed, round) => speed / (theirs[round] ?? Number.NaN)))),
    lossGap: { gap: Math.max(0, ...gaps), updates: myLosses.length },
  };
};

const closing = async <T>(sides: readonly Side[], use: () => Promise<T>): Promise<T> => {
  try {
    return await use();
  } finally {
    for (const side of sides) await side.close();
  }
};

interface Options {
  readonly python: string | undefined;
  readonly threads: number;
  readonly rounds: number;
  readonly dropout: number;
  readonly engine: Engine | undefined;
  readonly precision: Precision | undefined;
  readonly rival: { readonly device: string; readonly compile: boolean };
  /** Folder of a checkpoint that is trained in place of decant's own encoder. */
  readonly model: string | undefined;
  readonly even: readonly Subject[];
  /** What the texts of uneven length train; left out where one even subject was asked for. */
  readonly text: Subject | undefined;
  readonly say: (line: string) => void;
}

type Figures = Record<string, number>;

type Given = Pick<Options, 'even' | 'text'>;

/** Texts of one length, on every subject. */
const evenRounds = async ({
  python,
  threads,
  rounds,
  dropout,
  engine,
  precision,
  rival,
  model,
  even,
  say,
}: Options): Promise<Figures> => {
  const ratios: number[] = [];
  const figures: Figures = {};
  for (const [i, subject] of even.entries()) {
    const setting: Setting = { subject, texts: evenTexts(subject), dropout, threads, engine, precision, rival };
    const mine = ours(setting);
    const sides: readonly Side[] = python === undefined ? [mine] : [mine, await torch(python, setting, 'same')];
    await closing(sides, async () => {
      const { medians, ratios: besides, lossGap } = await alternate(sides, rounds);
      const { graph, optimizer, feeds } = mine.spent;
      const share = optimizer / (graph + optimizer + feeds);
      const [ratio] = besides;
      const other = ratio === undefined ? '' : `, PyTorch ${medians[1]?.toFixed(0)}, ratio ${ratio.toFixed(3)}`;
      const same =
        ratio === undefined || dropout > 0
          ? ''
          : `, losses within ${lossGap.gap.toExponential(1)} over ${lossGap.updates} updates`;
      say(
        `${describe(subject)}: ${medians[0]?.toFixed(0)} tokens/s${other}${same}; optimizer ${(100 * share).toFixed(1)} % of the step`,
      );
      if (ratio !== undefined) ratios.push(ratio);
      if (engine !== undefined) {
        const beside = ratio === undefined ? {} : { [`torchRatio${i}`]: ratio };
        Object.assign(figures, { [`tokensPerSecond${i}`]: medians[0] }, beside);
        return;
      }
      if (i !== 0) return;
      Object.assign(figures, { tokensPerSecond: medians[0], optimizerShare: share });
      const rivalPeak = await sides[1]?.peak();
      const peak = await peakOfOurs({ threads, dropout, model });
      say(
        `peak memory: ${peak.toFixed(0)} MiB${rivalPeak === undefined ? '' : `, PyTorch ${rivalPeak.toFixed(0)} MiB`}`,
      );
      Object.assign(figures, { peakMiB: peak }, rivalPeak === undefined ? {} : { torchPeakMiB: rivalPeak });
    });
  }
  return ratios.length === 0
    ? figures
    : { ...figures, torchRatio: geometricMean(ratios), torchWorst: Math.min(...ratios) };
};

/** Definitions of WordNet, which are of uneven length, against a loop that batches by length and one that does not. */
const textRounds = async (subject: Subject, options: Options): Promise<Figures> => {
  const { python, threads, rounds, dropout, say } = options;
  const setting: Setting = { subject, texts: await wordnetTexts(subject), dropout, threads };
  const sides: Side[] = [ours(setting)];
  if (python !== undefined) sides.push(await torch(python, setting, 'same'), await torch(python, setting, 'random'));
  const { medians, ratios } = await closing(sides, () => alternate(sides, rounds));
  const [byLength, random] = ratios;
  const shown = medians.map((speed) => speed.toFixed(0));
  const rival =
    byLength === undefined || random === undefined
      ? ''
      : `, PyTorch batched by length ${shown[1]}, ratio ${byLength.toFixed(3)}, padded at random ${shown[2]}, ratio ${random.toFixed(3)}`;
  say(`WordNet, ${describe(subject)} at most: ${shown[0]} tokens/s${rival}`);
  return byLength === undefined || random === undefined ? {} : { torchTextRatio: byLength, torchRandomRatio: random };
};

/** What is trained: shapes of a card where an engine is named. */
const subjectsOf = async (model: string | undefined, engine: string | undefined): Promise<Given> => {
  if (model !== undefined) return await pretrainedSubjects(model);
  return engine === undefined ? { even: subjects, text: textSubject } : { even: cardSubjects, text: undefined };
};

/** Training throughput beside one large matrix product and, with `--python PATH`, beside PyTorch's eager float32. */
export const benchTrain = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      python: { type: 'string' },
      threads: { type: 'string', default: '2' },
      rounds: { type: 'string', default: '9' },
      dropout: { type: 'string', default: '0' },
      only: { type: 'string' },
      engine: { type: 'string' },
      precision: { type: 'string' },
      device: { type: 'string', default: 'cpu' },
      compile: { type: 'boolean', default: false },
      model: { type: 'string' },
      profile: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const say = (line: string): void => void (values.json ? process.stderr : process.stdout).write(`${line}\n`);
  const { model } = values;
  const given = await subjectsOf(model, values.engine);
  const only = values.only === undefined ? undefined : Number(values.only);
  const options: Options = {
    python: values.python,
    threads: Number(values.threads),
    rounds: Number(values.rounds),
    dropout: Number(values.dropout),
    engine: values.engine === undefined ? undefined : await openEngine(values.engine),
    precision: precisions.find((precision) => precision === values.precision),
    rival: { device: values.device, compile: values.compile },
    model,
    ...(only === undefined ? given : { even: given.even.slice(only, only + 1), text: undefined }),
    say,
  };
  const {
    even: [first],
    text,
  } = options;
  if (values.profile) return printProfile(first ?? textSubject, options);
  if (values.python === undefined) say('PyTorch is skipped: --python PATH names an interpreter that has torch');
  const even = await evenRounds(options);
  const uneven = text === undefined ? {} : await textRounds(text, options);
  const sgemm =
    only === undefined && model === undefined && values.engine === undefined ? await sgemmRatio(options) : {};
  if (values.json) process.stdout.write(`${JSON.stringify({ ...sgemm, ...even, ...uneven })}\n`);
};
