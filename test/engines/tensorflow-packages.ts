import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A folder as npm leaves it, with a package of TensorFlow.js in it that says what its JavaScript says when it is loaded. */
export const packageIn = (folder: string, name: string, version: string, code: string): string => {
  const home = join(folder, 'node_modules', name);
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'package.json'), JSON.stringify({ name, version, main: 'index.js' }));
  writeFileSync(join(home, 'index.js'), code);
  writeFileSync(join(home, 'broken.node'), 'no library');
  return home;
};

/** Code of a package that says of itself what it computes with. */
export const claiming = (tensorflow: string, hasGpu: boolean, backend = 'tensorflow'): string => `
  const answers = ${JSON.stringify({ binding: { TF_Version: tensorflow }, isUsingGpuDevice: hasGpu })};
  module.exports = { enableProdMode() {}, getBackend: () => '${backend}', backend: () => answers };`;
