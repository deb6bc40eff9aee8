import { z } from 'zod';
import { importError } from '../importer.ts';
import { issueText } from '../json-file.ts';

/** A token that texts are searched for before anything else, and whether it takes the spaces beside it along. */
export interface AddedToken {
  readonly content: string;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly single_word: boolean;
  readonly normalized: boolean;
  readonly special: boolean;
}

/** A special token is looked for in the text as it stands, another in the normalised text, where nothing else is said. */
export const addedToken = (content: string, flags: Partial<AddedToken> = {}): AddedToken => ({
  ...{ content, lstrip: false, rstrip: false, single_word: false },
  ...{ special: false, normalized: flags.special !== true },
  ...flags,
});

/** A token as files give it: a text alone leaves what else there is to say to whoever reads it. */
export type GivenToken = string | AddedToken;

export const contentOf = (token: GivenToken): string => (typeof token === 'string' ? token : token.content);

type Flags = { readonly [K in keyof Omit<AddedToken, 'content'>]?: AddedToken[K] | undefined };

const dropUndefined = (flags: Flags): Partial<AddedToken> =>
  Object.fromEntries(Object.entries(flags).filter(([, flag]) => flag !== undefined));

const shape = z.object({
  content: z.string(),
  lstrip: z.boolean().optional(),
  rstrip: z.boolean().optional(),
  single_word: z.boolean().optional(),
  normalized: z.boolean().optional(),
  special: z.boolean().optional(),
});

/** A token with its flags. */
export const tokenRecord = shape.transform(({ content, ...flags }) => addedToken(content, dropUndefined(flags)));

/** A token with its id and its flags: one table, since files may hold hundreds of thousands of them. */
export const numberedRecord = shape
  .extend({ id: z.int().nonnegative() })
  .transform(({ id, content, ...flags }) => ({ id, ...addedToken(content, dropUndefined(flags)) }));

/** A token, its flags said or not. */
export const tokenSchema = z.union([z.string(), tokenRecord]);

/** The same where every token with flags is special. */
export const specialTokenSchema = z.union([
  z.string(),
  shape.transform(({ content, ...flags }) => addedToken(content, dropUndefined({ ...flags, special: true }))),
]);

/** What stands under a key, in the form that was expected, or an error at that key. */
export const parsedAt = <T>(file: string, key: string, schema: z.ZodType<T>, value: unknown): T => {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => ({ ...issue, path: [key, ...issue.path] }));
  throw importError(`${file}: ${issueText(issues)}`);
};
