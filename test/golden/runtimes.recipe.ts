/**
 * Makes runtimes.json: what versions of ONNX Runtime do with the fused float file of every golden checkpoint, each in a
 * process of its own, since some versions end it.
 *
 *     for v in 1.16.3 1.17.3 1.18.0 1.19.2 1.20.1 1.21.1; do
 *       npm install --prefix old/$v --onnxruntime-node-install=skip onnxruntime-node@$v
 *     done
 *     npx tsx test/golden/runtimes.recipe.ts old
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { writeGraph } from '../../graph/codec/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { goldenNames, importGolden } from '../models/golden-checkpoints.ts';

/** Runs a file on two texts of seven tokens, two of them padding, and prints what comes out. */
const child = `
process.env.ORT_DISABLE_TELEMETRY = '1';
const ort = require(process.argv[1]);
const feeds = (names) => Object.fromEntries(names.map((name) => {
  const at = (i) => (name === 'attention_mask' ? Number(i < 12) : name === 'token_type_ids' ? 0 : 5 + ((3 * i) % 13));
  return [name, new ort.Tensor('int64', BigInt64Array.from({ length: 14 }, (_, i) => BigInt(at(i))), [2, 7])];
}));
const run = async () => {
  const session = await ort.InferenceSession.create(process.argv[2], { logSeverityLevel: 4, intraOpNumThreads: 1 });
  const outputs = await session.run(feeds(session.inputNames));
  console.log(JSON.stringify(Array.from(outputs[session.outputNames[0]].data)));
};
run().then(() => process.exit(0), () => process.exit(3));
`;

type Outcome = 'equal' | 'differs' | 'refused' | 'crashed';

/** Kernels round in another order from version to version; wrong ones are off by tens of percent. */
const TOLERANCE = 0.01;

const outputOf = (library: string, file: string): readonly number[] | 'refused' | 'crashed' => {
  const { status, stdout } = spawnSync(process.execPath, ['-e', child, library, file], { encoding: 'utf8' });
  return status === 0 ? JSON.parse(stdout) : status === 3 ? 'refused' : 'crashed';
};

const compared = (now: readonly number[], then: ReturnType<typeof outputOf>): Outcome => {
  if (typeof then === 'string') return then;
  const scale = Math.max(...now.map(Math.abs));
  return now.every((x, i) => Math.abs(x - (then[i] ?? Number.NaN)) < TOLERANCE * scale) ? 'equal' : 'differs';
};

const minorOf = (version: string): number => Number(version.split('.')[1]);
const [old = ''] = process.argv.slice(2);
const versions = readdirSync(resolve(old)).sort((a, b) => minorOf(a) - minorOf(b));
const folder = mkdtempSync(join(tmpdir(), 'decant-runtimes-'));
const outcomes: Record<string, Record<string, Outcome>> = {};
for (const name of goldenNames) {
  const file = join(folder, `${name}.onnx`);
  await writeGraph(file, fuseForInference((await importGolden(name)).graph));
  const now = outputOf('onnxruntime-node', file);
  if (typeof now === 'string') throw new Error(`${name} is ${now} by the version in use`);
  outcomes[name] = Object.fromEntries(
    versions.map((version) => {
      const library = join(resolve(old), version, 'node_modules/onnxruntime-node');
      return [version, compared(now, outputOf(library, file))];
    }),
  );
}
rmSync(folder, { recursive: true });
writeFileSync(join(import.meta.dirname, 'runtimes.json'), `${JSON.stringify(outcomes, null, 1)}\n`);
