/**
 * Builds the native part of TensorFlow.js without its install script, which downloads a library of 2022 from outside of the
 * registries: the library comes out of TensorFlow's own Python package instead. For Linux on x64; needs pip, a compiler and
 * the headers of Node.
 *
 *     npm run tfjs-node -- /tmp/tfjs
 *     DECANT_TFJS_NODE=/tmp/tfjs npx vitest run test/engines
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { PACKAGE_VERSION } from '../../engine/engines/tensorflow/packages.ts';

/** The newest one tried that the package's own code compiles against. */
const TENSORFLOW = '2.16.2';
const NAME = '@tensorflow/tfjs-node';

const [target] = process.argv.slice(2);
if (target === undefined) throw new Error('name the folder to build in: npm run tfjs-node -- FOLDER');
const folder = resolve(target);
const home = join(folder, 'node_modules', NAME);
const wheels = join(folder, 'wheel');
mkdirSync(wheels, { recursive: true });

const run = (
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd = folder,
): void => {
  execFileSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env } });
};

const installPackage = (): void => {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'tfjs-node-build', private: true }));
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', `${NAME}@${PACKAGE_VERSION}`]);
};

/** The package of any Python will do, since none of it runs: it is an archive that holds the library and its headers. */
const unpackLibrary = (): string => {
  const unpacked = join(wheels, 'tensorflow');
  if (existsSync(unpacked)) return unpacked;
  const which = ['--only-binary=:all:', '--python-version', '3.10', '--platform', 'manylinux2014_x86_64'];
  run('python3', ['-m', 'pip', 'download', '--no-deps', ...which, '-d', wheels, `tensorflow-cpu==${TENSORFLOW}`]);
  const archive = readdirSync(wheels).find((name) => name.endsWith('.whl'));
  if (archive === undefined) throw new Error(`pip left no wheel in ${wheels}`);
  run('python3', ['-m', 'zipfile', '-e', join(wheels, archive), wheels]);
  return unpacked;
};

/** Where the package's build looks for what its install script would have downloaded. */
const layOut = (unpacked: string): void => {
  const deps = join(home, 'deps');
  rmSync(deps, { recursive: true, force: true });
  mkdirSync(join(deps, 'lib'), { recursive: true });
  symlinkSync(join(unpacked, 'include'), join(deps, 'include'));
  const libraries = { tensorflow: 'libtensorflow_cc.so.2', tensorflow_framework: 'libtensorflow_framework.so.2' };
  for (const [name, file] of Object.entries(libraries)) {
    for (const link of new Set([file, `lib${name}.so.2`, `lib${name}.so`])) {
      symlinkSync(join(unpacked, file), join(deps, 'lib', link));
    }
  }
};

/** The library refers to the one beside it by name, which a linker that leaves out what is not called would lose. */
const compile = (): void => {
  const node = dirname(dirname(process.execPath));
  if (!existsSync(join(node, 'include/node/node_api.h'))) throw new Error(`there are no headers of Node below ${node}`);
  const env = { npm_config_nodedir: node, LDFLAGS: '-Wl,--no-as-needed' };
  run(
    join(folder, 'node_modules/.bin/node-pre-gyp'),
    ['install', '--build-from-source', '--loglevel=error'],
    env,
    home,
  );
};

installPackage();
layOut(unpackLibrary());
compile();
const proof = `const tf = require('${NAME}'); const x = tf.ones([64, 64]); console.log(tf.getBackend(), tf.matMul(x, x).sum().dataSync()[0] === 64 ** 3)`;
run(process.execPath, ['-e', proof], { TF_CPP_MIN_LOG_LEVEL: '3' });
console.log(`DECANT_TFJS_NODE=${folder}`);
