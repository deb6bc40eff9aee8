import { createRequire } from 'node:module';
import { join } from 'node:path';
import util from 'node:util';
import { engineError, messageOf, type UserError } from '../../../ground/errors.ts';
import type { Library } from './library.ts';
import { FOLDER_VARIABLE, type Installed, installed, PACKAGE_VERSION, packageNames } from './packages.ts';

/** The library in this process, and what computes below it. */
export interface Loaded {
  readonly tf: Library;
  readonly package: string;
  readonly tensorflow: string;
  /** What it really has: the package for GPUs computes on the processor where it finds none, and says nothing. */
  readonly device: 'CPU' | 'GPU';
}

/** What is missing, and the line that would bring it. */
const missing = (what: string, install: string): UserError =>
  engineError(`the engine tensorflow is not there: ${what}; ${install}`, { code: 'missing', facts: { what, install } });

const installLine = (name: string): string => `npm install ${name}@${PACKAGE_VERSION}`;

const expectNode = ({ name }: Installed): void => {
  if ('isNullOrUndefined' in util) return;
  throw missing(
    `${name} ${PACKAGE_VERSION} calls util.isNullOrUndefined, which Node has no more since 23, and this is Node ${process.versions.node}`,
    'run decant with Node 20 or 22',
  );
};

const expectVersion = ({ name, version }: Installed): void => {
  if (version === PACKAGE_VERSION) return;
  throw missing(`found ${name} ${version}, expected ${PACKAGE_VERSION}`, installLine(name));
};

/** Why a package does not load: its native part is not there, or the system refuses it. */
const unloadable = ({ name, folder }: Installed, error: unknown): UserError => {
  const [reason = ''] = messageOf(error).split('\n');
  const rebuild = `npm rebuild ${name} --build-addon-from-source`;
  if (/tfjs_binding\.node\) can not be found|Cannot find module/.test(reason)) {
    return missing(`${name} in ${folder} lacks its native part, so its install script did not run: ${reason}`, rebuild);
  }
  if (/NODE_MODULE_VERSION|napi|different Node/i.test(reason)) {
    return missing(
      `the native part of ${name} in ${folder} is for another Node than ${process.versions.node}: ${reason}`,
      rebuild,
    );
  }
  return missing(`the native part of ${name} in ${folder} does not load: ${reason}`, rebuild);
};

/**
 * Node 22 warns once a process of a function that the package calls, whoever calls it first: here, where nobody hears it, and
 * not in the user's terminal at the first product.
 */
const warnUnheard = (): void => {
  if (!('isNullOrUndefined' in util) || typeof util.isNullOrUndefined !== 'function') return;
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    util.isNullOrUndefined(null);
  } finally {
    process.emitWarning = emitWarning;
  }
};

/** What TensorFlow reads when it is loaded: it prints to the terminal, and takes all memory of a GPU, unless told otherwise. */
const settings = { TF_CPP_MIN_LOG_LEVEL: '3', TF_FORCE_GPU_ALLOW_GROWTH: 'true' } as const;

const required = (found: Installed): Library => {
  for (const [name, value] of Object.entries(settings)) process.env[name] ??= value;
  warnUnheard();
  try {
    return createRequire(join(found.folder, 'package.json'))(found.folder);
  } catch (error) {
    throw unloadable(found, error);
  }
};

/** The oldest library with every kernel that is asked for. */
const OLDEST_TENSORFLOW = [2, 9] as const;

const isOld = (version: string): boolean => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldest, least] = OLDEST_TENSORFLOW;
  return major !== oldest || minor < least;
};

/** What the backend says of itself. */
const backendOf = (tf: Library): { readonly version: string; readonly hasGpu: boolean } => {
  const backend: object = tf.backend();
  const binding = 'binding' in backend ? backend.binding : undefined;
  const version = typeof binding === 'object' && binding !== null && 'TF_Version' in binding ? binding.TF_Version : '';
  return { version: String(version), hasGpu: 'isUsingGpuDevice' in backend && backend.isUsingGpuDevice === true };
};

/** Loads what is installed. Errors say what is missing and what brings it. */
export const load = (): Loaded => {
  const found = installed();
  if (found === undefined) {
    const place = process.env[FOLDER_VARIABLE] ? ` (${FOLDER_VARIABLE} names ${process.env[FOLDER_VARIABLE]})` : '';
    throw missing(`neither ${packageNames.join(' nor ')} is installed${place}`, installLine(packageNames[1]));
  }
  expectVersion(found);
  expectNode(found);
  const tf = required(found);
  tf.enableProdMode();
  const { version, hasGpu } = backendOf(tf);
  if (tf.getBackend() !== 'tensorflow' || isOld(version)) {
    const expected = `expected TensorFlow ${OLDEST_TENSORFLOW.join('.')} or a later 2`;
    throw missing(
      `${found.name} computes by '${tf.getBackend()}' on TensorFlow ${version}, ${expected}`,
      installLine(found.name),
    );
  }
  return { tf, package: `${found.name} ${found.version}`, tensorflow: version, device: hasGpu ? 'GPU' : 'CPU' };
};
