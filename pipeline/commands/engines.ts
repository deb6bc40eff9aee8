import { Argument, type Command } from 'commander';
import { bytes } from '../../reports/figures.ts';
import { layOut } from '../../reports/terminal.ts';
import { jsonForPeople, oneLine } from '../../reports/text.ts';
import { type EngineReport, engineNames, engines } from '../api/index.ts';
import { exit } from './common.ts';

const examples = `
Examples:
  $ decant engines                         what this machine can train on, each tried by a short training run
  $ decant engines cpu                     one of them
  $ decant engines --json                  one JSON document

An engine is tried by updates of a small encoder, compared with those on the CPU.
Exit codes: 0 done, 1 an engine that is there fails or gives other numbers, 2 the request was wrong.`;

const stateOf = ({ works, difference, problem, install }: EngineReport): string => {
  if (works)
    return difference === 0
      ? 'works'
      : `works; answers of a model trained there within ${difference?.toExponential(0)} of the CPU's`;
  return [problem ?? '', ...(install === null ? [] : [`to install it: ${install}`])].join('; ');
};

const cells = (row: EngineReport): readonly string[] => [
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
  program
    .command('engines')
    .addArgument(new Argument('[engine...]', 'those to look at (default: all)').choices(engineNames))
    .summary('list what models can be trained on here, and try it')
    .description(
      'List the engines: which device each would use, what is missing, and whether it trains as the CPU does.',
    )
    .option('--json', 'print one JSON document')
    .addHelpText('after', examples)
    .action(async (asked: readonly string[], { json }: { readonly json?: boolean }) => {
      const rows = await engines(asked.length === 0 ? undefined : asked);
      const text =
        json === true
          ? jsonForPeople({ schema: 'decant.engines/1', engines: rows })
          : `${layOut([head, ...rows.map(cells)], texts).join('\n')}\n`;
      process.stdout.write(text);
      end(rows.some(({ device, works }) => device !== null && !works) ? exit.failed : exit.done);
    });
};
