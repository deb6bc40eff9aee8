import { z } from 'zod';
import { stageError } from '../../ground/errors.ts';
import { adapterFiles } from '../../models/adapter.ts';
import { failureOf } from './answers.ts';
import { type Hub, persist } from './hub.ts';
import { type Answer, get } from './request.ts';
import { type HubModel, repositoryOf } from './specifier.ts';

/** A file as the hub names it: what arrives has to have this size and hash. */
export interface HubFile {
  readonly path: string;
  readonly size: number;
  readonly hash: { readonly algorithm: 'sha256' | 'git-sha1'; readonly value: string };
}

/** A revision of a model, resolved to its commit. */
export interface Listing {
  readonly model: HubModel;
  readonly commit: string;
  /** The files that are downloaded, in the hub's order. */
  readonly files: readonly HubFile[];
}

const LARGEST_ANSWER = 16 * 1024 * 1024;

const sibling = z.object({
  rfilename: z.string(),
  size: z.int().min(0).optional(),
  blobId: z.string().optional(),
  lfs: z.object({ sha256: z.string(), size: z.int().min(0) }).nullish(),
});
const answerSchema = z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/), siblings: z.array(sibling) });

type Sibling = z.infer<typeof sibling>;

/** All that belongs to a checkpoint besides its weights. Never .bin or .py: pickles and code could run as they are read. */
const checkpointFiles: readonly RegExp[] = [
  /^config\.json$/,
  /^(?:tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab)\.json$/,
  /^(?:vocab|merges)\.txt$/,
  /^(?:modules|sentence_(?:bert|roberta|distilbert|camembert|albert|xlm-roberta|xlnet)_config|config_sentence_transformers)\.json$/,
  /^\d{1,2}_(?:Pooling|Normalize)\/config\.json$/,
  /^README\.md$/,
];

/** A name from the hub, harmless in a terminal. */
const shown = (name: string): string => `"${name.slice(0, 100).replace(/[^\x20-\x7e]/g, '?')}"`;

const leavesFolder = (name: string): boolean =>
  name === '' || name.includes('\0') || /^(?:[\\/]|[A-Za-z]:)|(?:^|[\\/])\.{1,2}(?:[\\/]|$)/.test(name);

const hashOf = ({ lfs, blobId }: Sibling): HubFile['hash'] | undefined => {
  const [value, algorithm] = lfs ? ([lfs.sha256, 'sha256'] as const) : ([blobId ?? '', 'git-sha1'] as const);
  return (lfs ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{40}$/).test(value) ? { algorithm, value } : undefined;
};

const fileOf = (entry: Sibling): HubFile => {
  const hash = hashOf(entry);
  const size = entry.lfs?.size ?? entry.size;
  if (hash !== undefined && size !== undefined) return { path: entry.rfilename, size, hash };
  throw stageError(
    `the hub names no ${hash === undefined ? 'hash' : 'size'} for ${entry.rfilename}, so it cannot be checked; nothing was downloaded`,
  );
};

const onlyOnce = (entries: readonly Sibling[]): void => {
  if (new Set(entries.map(({ rfilename }) => rfilename)).size === entries.length) return;
  throw stageError('the hub lists a file twice; nothing was downloaded');
};

const single = 'model.safetensors';
const index = 'model.safetensors.index.json';

/** What there is of weights: one file before shards, and nothing but safetensors. */
const checkWeights = (model: HubModel, names: ReadonlySet<string>): void => {
  const repository = `${repositoryOf(model)}@${model.revision}`;
  const adapter = adapterFiles.find((name) => names.has(name));
  if (adapter !== undefined) {
    throw stageError(
      `${repository} holds an adapter (${adapter}), the difference from another model: merge the two with merge_and_unload() in peft, save the result with save_pretrained and name its folder; nothing was downloaded`,
    );
  }
  if (!names.has('config.json')) {
    throw stageError(`${repository} holds no config.json; expected a Transformer's checkpoint`);
  }
  if (names.has(single) || names.has(index)) return;
  const pickled = [...names].some((name) => /^pytorch_model.*\.bin$/.test(name));
  const found = pickled ? 'holds its weights as pytorch_model.bin only' : 'holds no model.safetensors';
  throw stageError(
    `${repository} ${found}. Only safetensors is read, because reading a .bin can run code: name a revision that has it (often refs/pr/1, made by the hub's converter), or convert it and name the folder`,
  );
};

const numbered = /^model-\d+-of-\d+\.safetensors$/;
const plain = /^\w[\w.-]*\.safetensors$/;

/** One file before shards. Shards are called as the index says, which nobody has read yet: numbered ones, else all there are. */
const weightFiles = (names: readonly string[]): readonly string[] => {
  if (names.includes(single)) return [single];
  const shards = names.filter((name) => numbered.test(name));
  return [index, ...(shards.length > 0 ? shards : names.filter((name) => plain.test(name)))];
};

/** The files of a checkpoint among all of a repository. */
export const chooseFiles = (model: HubModel, siblings: readonly Sibling[]): readonly HubFile[] => {
  const outside = siblings.find(({ rfilename }) => leavesFolder(rfilename));
  if (outside !== undefined) {
    throw stageError(
      `the hub names a file ${shown(outside.rfilename)}, which would lie outside of the folder; nothing was downloaded`,
    );
  }
  const names = new Set(siblings.map(({ rfilename }) => rfilename));
  checkWeights(model, names);
  const weights = new Set(weightFiles([...names]));
  const chosen = siblings.filter(
    ({ rfilename }) => weights.has(rfilename) || checkpointFiles.some((pattern) => pattern.test(rfilename)),
  );
  onlyOnce(chosen);
  return chosen.map(fileOf);
};

const textOf = async ({ pieces }: Answer): Promise<string> => {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const piece of pieces) {
    size += piece.length;
    if (size > LARGEST_ANSWER) throw stageError('the hub lists files without end: over 16 MB of them; stopped');
    parts.push(piece);
  }
  return Buffer.concat(parts).toString('utf8');
};

const parsed = (text: string): z.infer<typeof answerSchema> => {
  try {
    return answerSchema.parse(JSON.parse(text));
  } catch {
    throw stageError(
      'the hub answers with something else than a list of files; expected that of the Hugging Face API (does HF_ENDPOINT name a hub?)',
    );
  }
};

const isCommit = (revision: string): boolean => /^[0-9a-f]{40}$/.test(revision);

/** Asks the hub which commit a revision is, and for the files of that commit with their sizes and hashes. */
export const listFiles = (hub: Hub, model: HubModel): Promise<Listing> =>
  persist(hub, async () => {
    const { revision } = model;
    const path = `/api/models/${repositoryOf(model)}/revision/${encodeURIComponent(revision)}?blobs=true`;
    return await get(hub, path, { accept: 'application/json' }, async (answer) => {
      const failure = failureOf(answer, { model }, hub);
      if (failure !== undefined) throw failure;
      const { sha: commit, siblings } = parsed(await textOf(answer));
      if (isCommit(revision) && commit !== revision) {
        throw stageError(
          `the hub answers with commit ${commit} where ${revision} was asked for; nothing was downloaded`,
        );
      }
      return { model, commit, files: chooseFiles(model, siblings) };
    });
  });
