import { env } from '@huggingface/transformers';
import { loadWay } from './ways.js';

// Models and runtime come from the server of this page, and nothing from anywhere else.
env.allowRemoteModels = false;
env.allowLocalModels = true;
env.localModelPath = '/models/';
// A model that was exported again shows at the next load.
env.useBrowserCache = false;
env.useWasmCache = false;
env.backends.onnx.wasm.numThreads = 1;
env.backends.onnx.wasm.wasmPaths = {
  mjs: '/node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.mjs',
  wasm: '/node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm',
};

/** Folders of the two models: ?teacher=NAME&student=NAME names others. */
const names = { teacher: 'teacher', student: 'deploy', ...Object.fromEntries(new URLSearchParams(location.search)) };

const files = { fp32: 'onnx/model.onnx', q8: 'onnx/model_quantized.onnx' };
const MOST_RUNS = 21;
const MOST_MILLISECONDS = 200;

const status = document.querySelector('#status');
const text = document.querySelector('#text');
const pair = document.querySelector('#pair');

const panel = (role, name) => {
  const element = document.querySelector('#model').content.cloneNode(true).firstElementChild;
  element.id = role;
  element.querySelector('h2').textContent = role === name ? role : `${role} (${name})`;
  document.querySelector('#models').append(element);
  return (selector) => element.querySelector(selector);
};

/** A file that is not there is said here: a load that fails inside of transformers.js spoils the page for the next one. */
const loaded = async (role, name) => {
  const part = panel(role, name);
  try {
    const found = await fetch(`/models/${name}/config.json`);
    if (!found.ok) throw new Error(`There is no exported model "${name}" in the folder that is served.`);
    const config = await found.json();
    const { dtype } = config['transformers.js_config'];
    const file = await fetch(`/models/${name}/${files[dtype]}`, { method: 'HEAD' });
    part('.size').textContent = `${(Number(file.headers.get('content-length')) / 1e6).toFixed(2)} MB (${dtype})`;
    return { part, run: await loadWay(name, dtype, config) };
  } catch (error) {
    part('.problem').hidden = false;
    part('.problem').textContent = error.message;
    return undefined;
  }
};

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

const row = ({ label, score }) => {
  const [item, name, meter, percent] = ['li', 'span', 'meter', 'span'].map((tag) => document.createElement(tag));
  name.textContent = label;
  if (score === undefined) {
    item.append(name);
    return item;
  }
  meter.value = score;
  percent.textContent = `${(100 * score).toFixed(1)} %`;
  item.append(name, meter, percent);
  return item;
};

const show = ({ part }, labels, times) => {
  part('.latency').textContent = `${median(times).toFixed(2)} ms`;
  part('.labels').replaceChildren(...labels.map(row));
};

/** Runs the models by turns, so that whatever else the machine does meets both alike. */
const measure = async (models, given, other) => {
  const times = models.map(() => []);
  const labels = [];
  for (const { run } of models) labels.push(await run(given, other));
  const end = performance.now() + MOST_MILLISECONDS;
  for (let round = 0; round < MOST_RUNS && (round === 0 || performance.now() < end); round++) {
    for (const [i, { run }] of models.entries()) {
      const start = performance.now();
      await run(given, other);
      times[i].push(performance.now() - start);
    }
  }
  models.forEach((model, i) => {
    show(model, labels[i], times[i]);
  });
  const answers = new Set(labels.map((rows) => rows[0]?.label));
  status.textContent = answers.size === 1 ? 'One answer.' : 'The models differ.';
};

const models = [];
for (const role of ['teacher', 'student']) {
  const model = await loaded(role, names[role]);
  if (model !== undefined) models.push(model);
}
status.textContent = models.length > 0 ? 'Ready.' : 'No model is there.';

// One text at a time; of those that were typed meanwhile the last one follows.
let running = false;
let waiting;
const classify = async () => {
  waiting = text.value.trim();
  if (running || models.length === 0) return;
  running = true;
  while (waiting) {
    const given = waiting;
    waiting = undefined;
    try {
      await measure(models, given, pair.value.trim());
    } catch (error) {
      status.textContent = `This text could not be classified: ${error.message}`;
    }
  }
  running = false;
};
text.addEventListener('input', classify);
pair.addEventListener('input', classify);
await classify();
