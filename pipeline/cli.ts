import { Command } from 'commander';
import { systemCode } from '../ground/errors.ts';
import { benchmarkCommand } from './commands/benchmark.ts';
import { cleanCommand } from './commands/clean.ts';
import { exit } from './commands/common.ts';
import { compareCommand } from './commands/compare.ts';
import { diffCommand } from './commands/diff.ts';
import { doctorCommand } from './commands/doctor.ts';
import { enginesCommand } from './commands/engines.ts';
import { estimateCommand } from './commands/estimate.ts';
import { evaluateCommand } from './commands/evaluate.ts';
import { exportCommand } from './commands/export.ts';
import { generateCommand } from './commands/generate.ts';
import { initCommand } from './commands/init.ts';
import { inspectCommand } from './commands/inspect.ts';
import { optimizeCommand } from './commands/optimize.ts';
import { planCommand } from './commands/plan.ts';
import { predictCommand } from './commands/predict.ts';
import { pruneCommand } from './commands/prune.ts';
import { quantizeCommand } from './commands/quantize.ts';
import { reportCommand } from './commands/report.ts';
import { runCommand } from './commands/run.ts';
import { runsCommand } from './commands/runs.ts';
import { schemaCommand } from './commands/schema.ts';
import { uiCommand } from './commands/ui.ts';
import { validateCommand } from './commands/validate.ts';
import { version } from './version.ts';

const examples = `
Examples:
  $ decant init reviews.csv             write a pipeline for your own texts
  $ decant validate                     check it
  $ decant plan                         what would run, and why
  $ decant run                          run it
  $ decant report runs/NAME --open      what came of it, as a page
  $ decant diff runs/A runs/B            what changed between two runs
  $ decant compare runs/A runs/B runs/C  which recipe wins, and what is chance
  $ decant runs                         what was run, newest first
  $ decant ui --open                    all of it as a page, running ones as they go on
  $ decant clean --dry-run              what could be freed of the disk
  $ decant predict runs/NAME/deploy "a text to classify"
  $ decant generate runs/NAME/deploy "The jury said"    with a decoder
  $ decant evaluate runs/NAME/deploy --data held-out.csv      how good it is on your own texts
  $ decant benchmark runs/NAME/deploy                         how fast it is
  $ decant estimate runs/NAME/models/teacher --batch 16       what it takes by formula, and what it took
  $ decant export runs/NAME/models/teacher DIR      a stage's model for transformers.js
  $ decant inspect model.onnx                       what an ONNX file of any maker is made of
  $ decant prune model.onnx --keep-heads 50% -o small.onnx      also: quantize, optimize
  $ decant doctor model.onnx                        what else can be done with it`;

const addCommands = (program: Command, end: (code: number) => void): void => {
  const commands = [
    runCommand,
    validateCommand,
    planCommand,
    inspectCommand,
    initCommand,
    predictCommand,
    generateCommand,
    evaluateCommand,
    benchmarkCommand,
    estimateCommand,
    reportCommand,
    diffCommand,
    compareCommand,
    runsCommand,
    uiCommand,
    cleanCommand,
    exportCommand,
    pruneCommand,
    quantizeCommand,
    optimizeCommand,
    doctorCommand,
    schemaCommand,
    enginesCommand,
  ];
  for (const command of commands) command(program, end);
};

const programOf = (end: (code: number) => void): Command => {
  const program = new Command('decant')
    .description(
      'Pours a large Transformer into a small one: train, prune, distil, quantize and export from one YAML file.',
    )
    .version(version, '-v, --version')
    .addHelpText('after', examples)
    .showSuggestionAfterError(true)
    .showHelpAfterError('(add --help for what there is)');
  // Commands inherit these settings, so they come first.
  program.exitOverride();
  addCommands(program, end);
  for (const command of program.commands) command.exitOverride().showHelpAfterError('(add --help for what there is)');
  return program;
};

/**
 * A reader that went away (`| head`) is no reason to stop or to complain. Output that cannot be written otherwise (a full
 * disk behind `>`) is said once and fails the command; a run goes on, for its results are files of their own.
 */
const tolerateBrokenOutput = (): { readonly isLost: () => boolean } => {
  let lost = false;
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', (error: Error) => {
    if (lost || systemCode(error) === 'EPIPE') return;
    lost = true;
    process.exitCode = exit.failed;
    process.stderr.write(`standard output cannot be written: ${error.message}\n`);
  });
  return { isLost: () => lost };
};

/** The command line. Sets the exit code; ends by itself when all is written. */
export const main = async (args: readonly string[]): Promise<void> => {
  const { isLost } = tolerateBrokenOutput();
  try {
    const program = programOf((code) => {
      process.exitCode = code === exit.done && isLost() ? exit.failed : code;
    });
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync(args[0] === '-V' ? ['-v'] : [...args], { from: 'user' });
  } catch (error) {
    const { failureIn, tell } = await import('./explain.ts');
    const failure = failureIn(error);
    tell(failure, args);
    process.exitCode = failure.exitCode;
  }
};
