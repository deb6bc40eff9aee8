import { Argument, type Command } from 'commander';
import { engines, findEngine } from '../../engine/engines/index.ts';
import type { Device, EngineKind } from '../../engine/engines/kind.ts';
import { bytes } from '../../reports/figures.ts';
import { layOut } from '../../reports/terminal.ts';
import { jsonForPeople, oneLine } from '../../reports/text.ts';
import { exit } from './common.ts';

const examples = `
Examples:
  $ decant engines                         what this machine can train on, each tried by a short training run
  $ decant engines cpu                     one of them
  $ decant engines --json                  one JSON document

An engine is tried by updates of a small encoder, compared with those on the CPU.
Exit codes: 0 done, 1 an engine that is there fails or gives other numbers, 2 the request was wrong.`;

/** What is known of one engine. Where something is missing nothing was tried. */
interface Row {
  readonly engine: string;
  readonly summary: string;
  readonly device: Device | null;
  /** What is missing, or what came of trying it. */
  readonly problem: string | null;
  readonly install: string | null;
  /** Largest difference of a trained model's answers from the CPU's, relative to the largest; null where none was tried. */
  readonly difference: number | null;
  readonly works: boolean;
}

const tried = async ({ name, summary }: EngineKind): Promise<Row> => {
  const row = { engine: name, summary, device: null, problem: null, install: null, difference: null, works: false };
  const found = await findEngine(name);
  if ('missing' in found) return { ...row, problem: found.missing, install: found.install ?? null };
  const { device } = found;
  const { tryEngine } = await import('../proof/try.ts');
  const { PROVED } = await import('../proof/prove.ts');
  const outcome = await tryEngine(name);
  if ('problem' in outcome) return { ...row, device, problem: outcome.problem };
  const { difference } = outcome;
  if (difference < PROVED) return { ...row, device, difference, works: true };
  return {
    ...row,
    device,
    difference,
    problem: `its numbers are not the CPU's: answers of a model trained there differ by ${difference}`,
  };
};

const stateOf = ({ works, difference, problem, install }: Row): string => {
  if (works)
    return difference === 0
      ? 'works'
      : `works; answers of a model trained there within ${difference?.toExponential(0)} of the CPU's`;
  return [problem ?? '', ...(install === null ? [] : [`to install it: ${install}`])].join('; ');
};

const cells = (row: Row): readonly string[] => [
  row.engine,
  oneLine(row.device?.name ?? '-'),
  row.device?.memory === undefined ? '' : bytes(row.device.memory),
  oneLine(row.device?.driver ?? ''),
  oneLine(stateOf(row)),
];

const head = ['engine', 'device', 'memory', 'driver', 'state'];

/** Columns that hold no figures. */
const texts = [0, 1, 3, 4];

/** `decant engines`. */
export const enginesCommand = (program: Command, end: (code: number) => void): void => {
  const names = engines.map(({ name }) => name);
  program
    .command('engines')
    .addArgument(new Argument('[engine...]', 'those to look at (default: all)').choices(names))
    .summary('list what models can be trained on here, and try it')
    .description(
      'List the engines: which device each would use, what is missing, and whether it trains as the CPU does.',
    )
    .option('--json', 'print one JSON document')
    .addHelpText('after', examples)
    .action(async (asked: readonly string[], { json }: { readonly json?: boolean }) => {
      const rows: Row[] = [];
      // One after the other: they would slow each other down, and one device may serve two engines.
      for (const kind of engines.filter(({ name }) => asked.length === 0 || asked.includes(name)))
        rows.push(await tried(kind));
      const text =
        json === true
          ? jsonForPeople({ schema: 'decant.engines/1', engines: rows })
          : `${layOut([head, ...rows.map(cells)], texts).join('\n')}\n`;
      process.stdout.write(text);
      end(rows.some(({ device, works }) => device !== null && !works) ? exit.failed : exit.done);
    });
};
