import type { Command } from 'commander';
import { openUi } from '../api/index.ts';
import { exit, untilSignal, wholeNumber } from './common.ts';
import { show } from './show.ts';

const examples = `
Examples:
  $ decant ui                       a page of all runs in runs/, running ones as they go on
  $ decant ui --open                and shows it in the browser
  $ decant ui runs/NAME --port 8080
  $ decant ui --json                one line with the address, for machines

The address holds a token: whoever has it sees the page, others see nothing, and nobody does from another machine.
Nothing is written, and a model runs only when it is asked. Ctrl-C ends it.
Exit codes: 0 ended, 2 the request was wrong.`;

interface Options {
  readonly port?: number;
  readonly open?: boolean;
  readonly json?: boolean;
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

const serve = async (folder: string, { port, open, json }: Options, signal: AbortSignal): Promise<number> => {
  const ui = await openUi(folder, port === undefined ? {} : { port });
  try {
    const { address } = ui;
    process.stdout.write(
      json === true
        ? `${JSON.stringify({ schema: 'decant.ui/1', folder, address })}\n`
        : `${address}\n\nCtrl-C ends it.\n`,
    );
    if (open === true) await show(address);
    if (!signal.aborted) await untilAborted(signal);
    return exit.done;
  } finally {
    await ui.close();
  }
};

const MOST_PORTS = 65_535;

/** `decant ui`. */
export const uiCommand = (program: Command, end: (code: number) => void): void => {
  program
    .command('ui')
    .argument('[folder]', 'folder of runs, or of one run', 'runs')
    .summary('show all runs as a page that lives')
    .description(
      'Serve a page of all runs to this machine: stages, curves, running ones as they go on, two side by side, questions to any model.',
    )
    .option('--port <n>', 'port of this machine (default: any that is free)', wholeNumber(1, MOST_PORTS))
    .option('--open', 'show the page in the browser')
    .option('--json', 'print one line of JSON with the address')
    .addHelpText('after', examples)
    .action(async (folder: string, options: Options) =>
      end(await untilSignal((signal) => serve(folder, options, signal))),
    );
};
