import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Diff, type DiffFormat, diff, gatesFail, renderDiff } from '../api/index.ts';
import { exit } from './common.ts';
import { addToStepSummary } from './step-summary.ts';

const formats: readonly DiffFormat[] = ['text', 'md', 'json', 'html'];
interface Options {
  readonly format: DiffFormat;
  readonly gate?: string;
  readonly strict?: boolean;
  readonly latencyBand: number;
  readonly qualityBand: number;
}

const examples = `
Examples:
  $ decant diff runs/before runs/after                    what changed, with paired tests
  $ decant diff runs/NAME@1 runs/NAME                     an older report of a run and its newest
  $ decant diff git:main:report.json runs/NAME            against a report that is committed
  $ decant diff A B --gate gates.yaml --strict            fail a build: exit code 3
  $ decant diff A B --format md > comment.md              for a pull request
  $ decant diff A B --latency-band 10% --quality-band 0.3pt

A gate file: { int8: { accuracy: { maxDrop: 0.5pt, versus: baseline }, bytes: { max: 2MB } } }
Under GitHub Actions, gates and differences are also written as annotations.
Exit codes: 0 done, 2 the request was wrong, 3 a gate failed.`;

/** A share such as 5%, or points such as 0.3pt, as a rate. */
const band =
  (unit: '%' | 'pt', example: string) =>
  (text: string): number => {
    const [, digits] = new RegExp(`^(\\d+(?:\\.\\d+)?) ?${unit}$`).exec(text) ?? [];
    const rate = Number(digits) / 100;
    if (digits !== undefined && rate < 1) return rate;
    throw new InvalidArgumentError(`Expected a number below 100 with its unit, such as ${example}.`);
  };

/** Beside text for people; on standard error where standard output is a document. */
const annotate = async (result: Diff, format: DiffFormat, strict: boolean): Promise<void> => {
  if (process.env.GITHUB_ACTIONS !== 'true') return;
  const { diffAnnotations } = await import('../../reports/diff/annotations.ts');
  const stream = format === 'text' ? process.stdout : process.stderr;
  stream.write(diffAnnotations(result, strict));
};

const compare = async (a: string, b: string, options: Options): Promise<number> => {
  const { format, gate, latencyBand, qualityBand, strict = false } = options;
  const result = await diff(a, b, { latencyBand, qualityBand, ...(gate === undefined ? {} : { gates: gate }) });
  const { wantsColor } = await import('../view/choose.ts');
  const terminal = { columns: process.stdout.columns ?? 80, color: wantsColor(process.stdout) };
  process.stdout.write(await renderDiff(result, format, terminal));
  await annotate(result, format, strict);
  await addToStepSummary(() => renderDiff(result, 'md'));
  return gatesFail(result.gates, strict) ? exit.gate : exit.done;
};

/** `decant diff`. */
export const diffCommand = (program: Command, end: (code: number) => void): void => {
  program
    .command('diff')
    .argument('<A>', 'folder of a run, a report.json, or git:REVISION:PATH of one')
    .argument('<B>', 'what is compared with it')
    .summary('compare two runs, and fail a build where a gate does')
    .description('Compare two runs stage by stage: what changed, what got better or worse, and what is noise.')
    .addOption(new Option('--format <name>', 'what to write').choices(formats).default('text'))
    .option('--gate <file>', 'limits in YAML (default: the gates of the pipeline of B)')
    .option('--strict', 'fail where a gate is undecided, too')
    .addOption(
      new Option('--latency-band <share>', 'latency differences up to this share do not matter')
        .argParser(band('%', '5%'))
        .default(0.05, '5%'),
    )
    .addOption(
      new Option('--quality-band <points>', 'differences of quality up to this do not matter (1pt is 0.01 of a cosine)')
        .argParser(band('pt', '0.3pt'))
        .default(0, '0pt'),
    )
    .addHelpText('after', examples)
    .action(async (a: string, b: string, options: Options) => end(await compare(a, b, options)));
};
