import { benchAttention } from './attention/index.ts';
import { benchDecode } from './decode/index.ts';
import { benchDiff } from './diff/index.ts';
import { benchEstimates } from './estimates/index.ts';
import { benchFirst } from './first/index.ts';
import { benchHostile } from './hostile/index.ts';
import { benchInference } from './inference/index.ts';
import { benchLoad } from './load/index.ts';
import { benchPrune } from './prune/index.ts';
import { benchQuantize } from './quantize/index.ts';
import { benchSparsity } from './sparsity/index.ts';
import { benchTables } from './tables/index.ts';
import { benchTrain } from './train/index.ts';

/** Every benchmark by name. Each prints figures and, where a rival is installed, a ratio. */
const benches: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  attention: benchAttention,
  decode: benchDecode,
  diff: benchDiff,
  estimates: benchEstimates,
  first: benchFirst,
  hostile: benchHostile,
  inference: benchInference,
  load: benchLoad,
  prune: benchPrune,
  quantize: benchQuantize,
  sparsity: benchSparsity,
  tables: benchTables,
  train: benchTrain,
};

const [name = '', ...args] = process.argv.slice(2);
const bench = benches[name];
if (bench === undefined) {
  const known = Object.keys(benches).join(', ');
  console.error(
    `usage: npm run bench -- NAME [options]; benchmarks: ${known}${name === '' ? '' : ` (found '${name}')`}`,
  );
  process.exitCode = 2;
} else {
  await bench(args);
}
