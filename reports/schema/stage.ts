import { z } from 'zod';
import { clientTexts, dimensions, modelFigures, writtenSample } from '../../ground/reported/evaluation.ts';
import { json } from '../../ground/reported/json.ts';
import { amount, count } from '../../ground/reported/numbers.ts';
import { quantizationReport } from '../../ground/reported/quantization.ts';
import { curvePoint, metricName, trainingSummary } from '../../ground/reported/training.ts';
import { figure } from './figures.ts';
import { lacking, latency, loading, otherEngine } from './latency.ts';
import { agreement, comparison, difference, overBaseline, quality } from './quality.ts';
import { cause, gap, time } from './time.ts';

const model = z.looseObject({
  file: z.string(),
  sha256: z.string(),
  bytes: count,
  ...modelFigures,
  dimensions,
});

const training = z.looseObject({
  ...trainingSummary.pick({ steps: true, epochs: true, tokensPerSecond: true, paddingFraction: true, leftOut: true })
    .shape,
  metric: metricName,
  curve: z.array(curvePoint.extend({ loss: figure })),
});

const client = clientTexts.extend({
  score: z
    .number()
    .nullable()
    .describe('The score over all test texts on the tokens that transformers.js feeds; null where it is not known.'),
});

/** One stage of the file. */
export const stage = z.looseObject({
  id: z.string(),
  uses: z.string(),
  version: amount.describe("Version of the stage's behaviour."),
  config: z.record(z.string(), json).describe('The options it ran with.'),
  inputs: z.record(z.string(), z.string()).describe('Stage ids by input name.'),
  cached: z.boolean(),
  seconds: amount.describe('What the work took when it was done.'),
  ranOn: z
    .object({ engine: z.string(), device: z.string() })
    .nullable()
    .default(null)
    .describe('Where its graphs ran: null for the CPU of the environment.'),
  model: model.nullable(),
  quality: quality.nullable(),
  agreement: agreement.nullable().describe('With the reference on the same examples.'),
  difference: difference.nullable().describe("Score minus the reference's, with its paired 95 % interval."),
  overBaseline: overBaseline
    .nullable()
    .default(null)
    .describe("Score minus the strongest baseline's, with its 95 % interval; null where there is none."),
  comparisons: z.array(comparison).describe('Paired with the reference, and with the model it was made from.'),
  latency: z
    .array(latency)
    .describe('On the first engine that was measured, which is the CPU unless the measurement says otherwise.'),
  lacking,
  otherEngines: z.array(otherEngine).exactOptional().describe('The same on further engines that were measured.'),
  loading: loading.nullable().describe('What it costs to begin: null where it was not measured.'),
  time: time.nullable().describe('Kernel time of one run by operator and layer: null where it was not profiled.'),
  undecided: z
    .boolean()
    .default(false)
    .describe('Whether it was profiled on a busy machine: causes that times tell, `time` and `gap` are left out then.'),
  causes: z.array(cause).describe('Why it is not faster.'),
  gap: gap
    .nullable()
    .default(null)
    .describe("Why its time is not the reference's divided as its MACs are: null where it was not profiled."),
  training: training.nullable(),
  client: client
    .nullable()
    .default(null)
    .describe('What transformers.js makes of the test texts: null where nobody looked.'),
  sample: writtenSample.exactOptional().describe('How a decoder writes on the beginning of a test text.'),
  quantization: quantizationReport
    .exactOptional()
    .describe('What became of each matrix, and how far each layer is from before: of stages that store fewer bits.'),
  usage: z
    .looseObject({ node: z.string(), browser: z.string(), python: z.string() })
    .nullable()
    .default(null)
    .describe('Lines of code that use an exported folder, which lies beside the report; null for other stages.'),
  notes: z.array(z.string()),
});
