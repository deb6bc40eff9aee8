// Runs a pipeline, shows how far each stage is, and asks the model that came out of it:
//   node examples/api.mjs [pipeline.yaml] [data.limit=2000 ...]
import { join } from 'node:path';
import { loadModel, RunError, run, UserError } from 'decant';

const [file = 'pipeline.yaml', ...set] = process.argv.slice(2);
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());

try {
  const job = run(file, { set, signal: stop.signal });
  for await (const event of job) {
    if (event.type === 'started') console.log(`${event.step} ...`);
    if (event.type === 'finished') console.log(`${event.step} took ${event.seconds.toFixed(1)} s`);
    if (event.type === 'cached') console.log(`${event.step} is there already`);
  }
  const { report, out } = await job;
  for (const { id, model, quality } of report.stages)
    if (model && quality) console.log(`${id}: ${model.bytes} bytes, score ${quality.score.toFixed(3)}`);

  const last = report.stages.findLast(({ model }) => model);
  const model = await loadModel(join(out, 'models', last.id));
  const { answers } = await model.predict(['a large wild cat', 'to walk slowly']);
  for (const answer of answers) console.log(answer);
  await model.release();
} catch (error) {
  if (!(error instanceof RunError) && !(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
