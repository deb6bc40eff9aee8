import type { Command } from 'commander';
import { jsonForPeople, oneLine } from '../../reports/text.ts';
import { type Check, type Diagnosis, defaultThreads, doctor } from '../api/index.ts';
import { exit, modelHelp, untilSignal, wholeNumber } from './common.ts';

interface Options {
  readonly inputs?: string;
  readonly keep?: string;
  readonly threads?: number;
  readonly memory?: number;
  readonly timeout?: number;
  readonly offline?: boolean;
  readonly json?: boolean;
}

const examples = `
Examples:
  $ decant doctor model.onnx
  $ decant doctor ./my-model --json
  $ decant doctor model.onnx --keep made      # the cut, fused and quantized files
  $ decant doctor model.onnx --inputs sample.json

Says what decant can do with a model before anyone waits for it: reads it, cuts it, trains it, fuses it, quantizes it, on
made inputs of two shapes, and compares what comes out. A file of inputs says for each what it is fed, for one shape or,
in a list, for several: { "ids": { "dtype": "int64", "dims": [1, 3], "data": [7, 8, 9] } }
Exit codes: 0 all is well, 1 something is not, 2 the model cannot be read, 130 interrupted.`;

const NAME_WIDTH = 15;

/** Four digits, or the order of what is very small or large. */
const figure = (x: number): string => {
  const plain = x === 0 || (Math.abs(x) >= 0.01 && Math.abs(x) < 1e5);
  return plain ? String(Number(x.toPrecision(4))) : x.toExponential(1);
};

/** `ok    normalise       2.4e-7 of 1.0e-4   312 nodes became 210`. */
const line = ({ name, ok, value, limit, why }: Check): string => {
  const measured = value === null || limit === null ? '' : `${figure(value)} (limit ${figure(limit)}), `;
  return `${ok ? 'ok  ' : 'FAIL'}  ${name.padEnd(NAME_WIDTH)} ${measured}${oneLine(why)}\n`;
};

const codeOf = ({ readable, checks }: Diagnosis): number => {
  if (!readable) return exit.wrong;
  return checks.every(({ ok }) => ok) ? exit.done : exit.failed;
};

const run = (path: string, { json, ...options }: Options): Promise<number> =>
  untilSignal(async (signal) => {
    const job = doctor(path, { ...options, signal });
    for await (const check of job) if (json !== true) process.stdout.write(line(check));
    const diagnosis = await job;
    if (json === true) process.stdout.write(jsonForPeople({ checks: diagnosis.checks }));
    if (!diagnosis.readable) process.stderr.write(`${oneLine(diagnosis.checks[0]?.why ?? '')}\n`);
    return codeOf(diagnosis);
  });

/** `decant doctor`. */
export const doctorCommand = (program: Command, end: (code: number) => void): void => {
  program
    .command('doctor')
    .argument('<model>', modelHelp)
    .summary('say what decant can do with a model')
    .description('Try with an ONNX model of any maker everything that decant does, and say what stops it.')
    .option('--inputs <sample.json>', 'what the model is fed (default: made inputs that fit it)')
    .option('--keep <dir>', 'leave the files that are made in this folder')
    .option('--threads <n>', `threads of one operator (default: ${defaultThreads()})`, wholeNumber(1, 1024))
    .option('--timeout <s>', 'seconds that one check may take (default: 600)', wholeNumber(1, 1_000_000))
    .option(
      '--memory <MB>',
      'memory that may be taken (default: what its weights should need)',
      wholeNumber(1, 10_000_000),
    )
    .option('--offline', 'download nothing (also: DECANT_OFFLINE=1)')
    .option('--json', 'print the checks as one JSON document')
    .addHelpText('after', examples)
    .action(async (path: string, options: Options) => end(await run(path, options)));
};
