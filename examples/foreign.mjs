// Says what an ONNX file of any maker is made of and what can be done with it, then cuts and quantizes it:
//   node examples/foreign.mjs model.onnx [FOLDER]
import { join } from 'node:path';
import { doctor, gradients, inspect, optimize, prune, quantize, UserError } from 'decant';

const [file = 'model.onnx', folder = '.'] = process.argv.slice(2);

/** Ones for an input such as int64[batch, sequence]: one example of five positions. */
const onesFor = ({ type }) => {
  const [, dtype, sizes] = /^(\w+)\[(.*)\]$/.exec(type);
  const dims = sizes.split(', ').map((size, axis) => (/^\d+$/.test(size) ? Number(size) : axis === 0 ? 1 : 5));
  return { dtype, dims, data: Array(dims.reduce((a, b) => a * b, 1)).fill(1) };
};

try {
  const { parameters, anatomy, inputs } = await inspect(file);
  console.log(`${parameters} parameters, ${anatomy?.layers.length ?? 0} layers`);

  for await (const { name, ok, why } of doctor(file)) console.log(`${ok ? 'ok' : 'FAIL'} ${name}: ${why}`);

  const feeds = Object.fromEntries(inputs.map((input) => [input.name, onesFor(input)]));
  const found = Object.entries(await gradients(file, feeds));
  console.log(`${found.length} weights have gradients, the first is ${found[0]?.[0]}`);

  const small = join(folder, 'small.onnx');
  const { removed } = await prune(file, small, { keepHeads: '50%', keepFfn: '50%' });
  console.log('removed', JSON.stringify(removed));
  const fast = await optimize(small, join(folder, 'fast.onnx'));
  const int8 = await quantize(small, join(folder, 'int8.onnx'), { minElements: 0 });
  console.log(`${fast.bytes.after} bytes, ${int8.bytes.after} in 8 bits`);
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
