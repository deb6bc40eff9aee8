import { type Command, InvalidArgumentError, Option } from 'commander';
import type { DiffSide } from '../../reports/diff/compare.ts';
import type { Diff } from '../../reports/diff/diff.ts';
import { type Gate, gatesFail } from '../../reports/gates/gate.ts';
import { jsonForPeople } from '../../reports/text.ts';
import { exit } from './common.ts';

const formats = ['text', 'md', 'json', 'html'] as const;
type Format = (typeof formats)[number];

interface Options {
  readonly format: Format;
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

const sideAt = async (where: string): Promise<DiffSide> => {
  const { loadSide } = await import('../../reports/diff/load.ts');
  return await loadSide(where);
};

const gatesOf = async (file: string, sides: readonly DiffSide[]): Promise<readonly Gate[]> => {
  const { gatesIn } = await import('./gate-file.ts');
  return await gatesIn(file, sides);
};

const render = async (result: Diff, format: Format): Promise<string> => {
  switch (format) {
    case 'md':
      return (await import('../../reports/diff/markdown.ts')).renderDiffMarkdown(result);
    case 'html':
      return (await import('../../reports/diff/html.ts')).renderDiffHtml(result);
    case 'json':
      return jsonForPeople(result);
    case 'text': {
      const { renderDiffText } = await import('../../reports/diff/terminal.ts');
      const { wantsColor } = await import('../view/choose.ts');
      return renderDiffText(result, { columns: process.stdout.columns ?? 80, color: wantsColor(process.stdout) });
    }
  }
};

/** Beside text for people; on standard error where standard output is a document. */
const annotate = async (result: Diff, format: Format, strict: boolean): Promise<void> => {
  if (process.env.GITHUB_ACTIONS !== 'true') return;
  const { diffAnnotations } = await import('../../reports/diff/annotations.ts');
  const stream = format === 'text' ? process.stdout : process.stderr;
  stream.write(diffAnnotations(result, strict));
};

const diff = async (a: string, b: string, options: Options): Promise<number> => {
  const { compareRuns } = await import('../../reports/diff/compare.ts');
  const [before, after] = [await sideAt(a), await sideAt(b)];
  const gates = options.gate === undefined ? null : await gatesOf(options.gate, [before, after]);
  const bands = { latency: options.latencyBand, quality: options.qualityBand };
  const strict = options.strict === true;
  const result = compareRuns({ before, after }, bands, gates);
  process.stdout.write(await render(result, options.format));
  await annotate(result, options.format, strict);
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
    .action(async (a: string, b: string, options: Options) => end(await diff(a, b, options)));
};
