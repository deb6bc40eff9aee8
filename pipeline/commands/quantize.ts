import { type Command, Option } from 'commander';
import { jsonForPeople, oneLine } from '../../reports/text.ts';
import { type QuantizedGraph, type QuantizeOptions, quantize } from '../api/index.ts';
import { wholeNumber } from './common.ts';
import { addRewriting, type RewritingOptions, rewriting, words } from './rewriting.ts';

interface Options extends RewritingOptions {
  readonly skip?: readonly string[];
  readonly minElements?: number;
  readonly format?: NonNullable<QuantizeOptions['format']>;
  readonly block?: number;
  readonly symmetric?: boolean;
}

type Format = NonNullable<QuantizeOptions['format']>;

const formats: readonly Format[] = ['int8', 'uint8', 'fp16', 'q4', 'q4f16', 'q8-blocks', 'q2'];

const examples = `
Examples:
  $ decant quantize model.onnx -o model_quantized.onnx
  $ decant quantize ./my-model -o ./my-int8-model
  $ decant quantize model.onnx -o int8.onnx --skip 'encoder.layer.0.*' classifier.weight
  $ decant quantize model.onnx -o int8.onnx --min-elements 0      # every matrix, however small
  $ decant quantize model.onnx -o model_q4.onnx --format q4 --block 64
  $ decant quantize model.onnx -o model_fp16.onnx --format fp16

Operators are fused first. int8 (the default) gives weights 8 bits and a step for each output, and quantizes activations
as the model runs; uint8 is the same in unsigned bytes; q4, q8-blocks and q2 store blocks of 4, 8 and 2 bits that
are multiplied by floats; fp16 and q4f16 compute in float16. No texts are needed: the quantize stage of a pipeline rounds better by reading some.
--skip takes names as the file has them; * stands for any text.
Exit codes: 0 done, 1 no matrix can be quantized, 2 the request was wrong, 130 interrupted.`;

/** What matrices are in, in words. */
const names: Readonly<Record<string, string>> = {
  ...{ int8: '8 bits', uint8: '8 bits, unsigned', fp16: 'float16', q4: '4 bits', q4f16: '4 bits' },
  ...{ 'q8-blocks': '8 bits', q2: '2 bits' },
};

const summary = (written: QuantizedGraph): string => {
  const { weights, quantized, kept, format } = written;
  const reasons = new Map<string, number>();
  for (const { reason } of weights) if (reason !== undefined) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  return words(written, [
    `${quantized} matrices in ${names[format] ?? format}, ${kept} in ${format === 'fp16' ? 'float32' : 'float'}`,
    ...[...reasons].map(([reason, count]) => `  ${count}: ${oneLine(reason)}`),
  ]);
};

const run = (
  path: string,
  { out, json, skip, minElements, offline, format, block, symmetric }: Options,
): Promise<number> =>
  rewriting(
    (signal) =>
      quantize(path, out, {
        signal,
        ...(offline === undefined ? {} : { offline }),
        ...(skip === undefined ? {} : { skip }),
        ...(minElements === undefined ? {} : { minElements }),
        ...(format === undefined ? {} : { format }),
        ...(block === undefined ? {} : { block }),
        ...(symmetric === undefined ? {} : { zeroPoint: !symmetric }),
      }),
    (written) => (json === true ? jsonForPeople(written) : summary(written)),
  );

/** `decant quantize`. */
export const quantizeCommand = (program: Command, end: (code: number) => void): void => {
  addRewriting(program.command('quantize'))
    .summary('store the matrices of a model in 8, 4 or 16 bits')
    .description('Quantize an ONNX model of any maker: dynamic INT8, 4-bit blocks or float16.')
    .addOption(
      new Option('--format <name>', 'what weights are stored and computed in').choices(formats).default('int8'),
    )
    .option('--skip <names...>', 'weights that stay in float; * stands for any text')
    .option('--min-elements <n>', 'matrices with fewer elements stay in float (default: 4096)', wholeNumber(0, 2 ** 31))
    .option('--block <n>', 'numbers that share a scale, in formats of blocks (default: 32)', wholeNumber(16, 256))
    .option('--symmetric', 'no zero point for each block, in formats of blocks')
    .option('--json', 'print what became of each matrix as one JSON document')
    .addHelpText('after', examples)
    .action(async (path: string, options: Options) => end(await run(path, options)));
};
