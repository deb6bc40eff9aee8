import { importError } from '../importer.ts';
import { type AddedToken, addedToken, contentOf, type GivenToken } from './added-token.ts';
import { type Role, roles } from './token-roles.ts';
import type { TokenSettings } from './token-settings.ts';

export type RoleTokens = ReadonlyMap<string, GivenToken | null>;

/** An added token with the id that it gets. */
export interface Placed extends AddedToken {
  readonly id: number;
}

/** A vocabulary that tokens are added to. */
export interface Base {
  /** The file that both stand in. */
  readonly file: string;
  readonly vocabulary: ReadonlyMap<string, number>;
  /** Tokens that were added before. */
  readonly added: readonly Placed[];
}

/** Tokens of roles, as a class has them where the files say nothing; a text alone has the flags that the class gives the role. */
export const rolesOf = (usual: Readonly<Partial<Record<Role, GivenToken>>>, given: RoleTokens): RoleTokens =>
  new Map(
    roles.flatMap((role) => {
      const own = usual[role];
      const token = given.has(role) ? given.get(role) : own;
      if (token === undefined) return [];
      const plain = typeof token === 'string' && typeof own === 'object';
      return [[role, plain ? { ...own, content: token } : token] as const];
    }),
  );

/** Tokens in the order in which transformers adds them: by the ids of the lists, then roles, then others; each once. */
const tokensToAdd = (
  base: Base,
  { decoder, named, extra }: TokenSettings,
  roleTokens: RoleTokens,
): readonly AddedToken[] => {
  const listed = [...decoder].sort(([a], [b]) => a - b).map(([, { token }]) => token);
  const there = new Set([...base.added, ...listed].map(({ content }) => content));
  const withRole = [...roleTokens.values(), ...named.values()].filter((token) => token !== null);
  const names = new Set(withRole.map(contentOf));
  const more = new Map<string, AddedToken>();
  for (const token of [...withRole, ...extra]) {
    const content = contentOf(token);
    if (there.has(content) || more.has(content)) continue;
    more.set(content, typeof token === 'string' ? addedToken(token, { special: true }) : token);
  }
  return [...listed, ...more.values()].map((token) =>
    token.special || !names.has(token.content) ? token : { ...token, special: true },
  );
};

/** Tokens with the ids that they get: each its own in the vocabulary, else the next one. */
const placing = ({ vocabulary }: Base) => {
  const added = new Map<string, Placed>();
  let last = -1;
  const next = (): number => (last >= vocabulary.size || vocabulary.size === 0 ? last + 1 : vocabulary.size);
  const add = (token: AddedToken): void => {
    if (token.content === '') return;
    const id = added.get(token.content)?.id ?? vocabulary.get(token.content) ?? next();
    last = Math.max(last, id);
    added.set(token.content, { ...token, id });
  };
  return { added, add };
};

/** Ids that a file gives must be those that tokens get. */
const checkId = (file: string, token: AddedToken, given: number, found: number | undefined): void => {
  if (token.content === '' || found === given) return;
  throw importError(
    `${file} gives the added token ${JSON.stringify(token.content)} the id ${given}, but it gets ${found}: its own in the ` +
      'vocabulary, or the next one behind it. Correct the id, or save the tokenizer again with save_pretrained',
  );
};

/** The tokens that files of the folder name; others only the class does. */
export const givenTokens = ({ decoder, named, extra, roles: given }: TokenSettings): ReadonlySet<string> => {
  const tokens = [...[...decoder.values()].map(({ token }) => token), ...named.values(), ...extra, ...given.values()];
  return new Set(tokens.flatMap((token) => (token === null ? [] : contentOf(token))));
};

/**
 * The added tokens of a tokenizer, by id. A token that only the class knows and that the model has no row for is left out:
 * a text that holds it would have no vector.
 */
export const addTokens = (
  base: Base,
  settings: TokenSettings,
  roleTokens: RoleTokens,
  rows: number,
): readonly Placed[] => {
  const { added, add } = placing(base);
  for (const { id, ...token } of base.added) {
    add(token);
    checkId(base.file, token, id, added.get(token.content)?.id);
  }
  for (const token of tokensToAdd(base, settings, roleTokens)) add(token);
  for (const [id, { token, file }] of settings.decoder) checkId(file, token, id, added.get(token.content)?.id);
  const before = new Set(base.added.map(({ content }) => content));
  const given = givenTokens(settings);
  return [...added.values()]
    .filter(({ id, content }) => id < rows || before.has(content) || given.has(content))
    .sort((a, b) => a.id - b.id);
};
