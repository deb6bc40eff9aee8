import { stageError } from '../../ground/errors.ts';

/** A model of the hub at a branch, tag or commit. */
export interface HubModel {
  readonly owner: string;
  readonly name: string;
  readonly revision: string;
}

const PREFIX = 'hub:';
const expected = 'hub:owner/name or hub:owner/name@revision';

export const isHubSpecifier = (specifier: string): boolean => specifier.startsWith(PREFIX);

/** Owners and models: letters, digits, `-`, `_` and `.`, as the hub allows them. */
const isName = (text: string): boolean => /^\w(?:[\w.-]{0,94}\w)?$/.test(text) && !/--|\.\.|\.git$/.test(text);

/** Branches, tags and commits: what git allows, less what needs quoting somewhere. */
const isRevision = (text: string): boolean =>
  /^\w[\w./+-]{0,199}$/.test(text) && !/\.\.|\/\/|\/\.|[/.]$|\.lock(?:$|\/)/.test(text);

const split = (specifier: string): { readonly path: readonly string[]; readonly revision: string } => {
  const rest = specifier.slice(PREFIX.length);
  const at = rest.indexOf('@');
  const [path, revision] = at < 0 ? [rest, 'main'] : [rest.slice(0, at), rest.slice(at + 1)];
  return { path: path.split('/'), revision };
};

/** What is wrong with the form of a specifier, if anything is: nobody is asked whether the model exists. */
export const specifierProblem = (specifier: string): string | undefined => {
  const { path, revision } = split(specifier);
  if (path.length === 1 && isName(path[0] ?? '')) {
    return `'${specifier}' names no owner; expected ${expected} (bert-base-uncased is google-bert/bert-base-uncased now)`;
  }
  const wrong = path.length === 2 ? path.find((part) => !isName(part)) : path.join('/');
  if (wrong !== undefined) {
    return `'${wrong}' in '${specifier}' is no name of the hub; expected ${expected}, names of letters, digits, '-', '_' and '.'`;
  }
  if (isRevision(revision)) return undefined;
  return `'${revision}' in '${specifier}' is no revision; expected a branch, a tag or a commit, such as ${PREFIX}${path.join('/')}@main`;
};

/** The parts of a specifier; without a revision it means the branch `main`. */
export const parseSpecifier = (specifier: string): HubModel => {
  const problem = specifierProblem(specifier);
  if (problem !== undefined) throw stageError(problem);
  const { path, revision } = split(specifier);
  const [owner = '', name = ''] = path;
  return { owner, name, revision };
};

export const repositoryOf = ({ owner, name }: HubModel): string => `${owner}/${name}`;
