import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import { type Diagnostic, positionOf, type Source, type Span } from '../diagnostic.ts';
import { expectBounded } from './bounds.ts';

export type Path = readonly (string | number)[];

/** Plain data with the place of every key and value, by path. */
export interface Located {
  readonly value: unknown;
  /** The key at the end of a path; for list items, the item. */
  key(path: Path): Span;
  /** The value at a path, or the nearest enclosing one that was written down. */
  at(path: Path): Span;
  has(path: Path): boolean;
}

interface Mistake {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

const QUOTE_HINT = 'quote a text that holds ": " or " #" or starts with one of @ ` % & * ! | > [ {';

/** Words for the mistakes people make, by the parser's code; its own message for the rest. */
const mistakes: Readonly<Record<string, Mistake>> = {
  TAB_AS_INDENT: {
    code: 'tab-indentation',
    message: 'a tab cannot indent in YAML',
    hint: 'indent with spaces, two a level',
  },
  DUPLICATE_KEY: { code: 'duplicate-key', message: 'this key was given before in the same mapping' },
  MULTIPLE_DOCS: {
    code: 'two-documents',
    message: 'a second document starts here; expected one pipeline a file',
    hint: 'put the second pipeline into a file of its own',
  },
  BAD_SCALAR_START: {
    code: 'yaml-syntax',
    message: 'a plain text cannot start with this character',
    hint: QUOTE_HINT,
  },
  BLOCK_AS_IMPLICIT_KEY: { code: 'yaml-syntax', message: 'a mapping cannot start here', hint: QUOTE_HINT },
  UNEXPECTED_TOKEN: { code: 'yaml-syntax', message: 'this does not belong here', hint: QUOTE_HINT },
  BAD_INDENT: {
    code: 'yaml-syntax',
    message: 'this line is indented neither like the lines before it nor below them',
    hint: 'keys of one mapping start in the same column',
  },
};

/** Where a quote or bracket was opened that is still open at `offset`. */
const openedAt = (
  document: Document.Parsed,
  { text }: Source,
  offset: number,
): (Mistake & { readonly start: number }) | undefined => {
  let found: (Mistake & { readonly start: number }) | undefined;
  const consider = (node: Node, what: string): void => {
    const [start, end] = node.range ?? [0, 0, 0];
    const closed = end > start + 1 && '"\'}]'.includes(text[end - 1] ?? ' ');
    if (closed || start >= offset || end < offset - 1 || start < (found?.start ?? 0)) return;
    found = { code: 'yaml-syntax', message: `this ${what} is never closed`, start };
  };
  visit(document, {
    Scalar: (_, node) => {
      if (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE') consider(node, 'quote');
    },
    Collection: (_, node) => {
      if (node.flow === true) consider(node, isMap(node) ? 'brace' : 'bracket');
    },
  });
  return found;
};

const fromYamlError = (error: YAMLError, document: Document.Parsed, source: Source): Diagnostic => {
  const [start, end] = error.pos;
  const unclosed = error.code === 'MISSING_CHAR' || /^Flow (map|sequence)/.test(error.message);
  const opened = unclosed ? openedAt(document, source, start) : undefined;
  const mistake = opened ?? (unclosed ? undefined : mistakes[error.code]);
  const message = mistake?.message ?? error.message.replace(/\s+/g, ' ').replace(/[.:]$/, '');
  const from = opened?.start ?? start;
  // A repeated key is pointed at by its first character only: mark all of it.
  const word = /^[^\s:]+/.exec(source.text.slice(from))?.[0].length ?? 1;
  const to = error.code === 'DUPLICATE_KEY' ? from + word : opened === undefined ? Math.max(end, from + 1) : from + 1;
  return {
    code: mistake?.code ?? 'yaml-syntax',
    message,
    span: { source, start: from, end: to },
    hints: mistake?.hint === undefined ? [] : [mistake.hint],
  };
};

export interface Parsed {
  readonly document: Document.Parsed;
  readonly problems: readonly Diagnostic[];
}

/** One mistake makes the parser stumble over the rest of its line: only the first of a line helps. */
const firstOfLine = (problems: readonly Diagnostic[]): readonly Diagnostic[] => {
  const seen = new Set<number>();
  return problems.filter(({ span }) => {
    const { line } = positionOf(span.source, span.start);
    return seen.has(line) ? false : seen.add(line);
  });
};

/** Parses one document and keeps every problem of syntax. */
export const parseYaml = (source: Source): Parsed => {
  expectBounded(source);
  const document = parseDocument(source.text, { prettyErrors: false, uniqueKeys: true, strict: true });
  const errors = document.errors.map((error) => fromYamlError(error, document, source));
  const tags = document.warnings
    .filter(({ code }) => code === 'TAG_RESOLVE_FAILED')
    .map(({ pos: [start, end] }) => ({
      code: 'unknown-tag',
      message: 'tags have no meaning in a pipeline',
      span: { source, start, end },
      hints: ['remove the tag'],
    }));
  return { document, problems: [...firstOfLine(errors), ...tags] };
};

/** More nodes than any pipeline has; fewer than what an alias bomb unfolds into. */
const MOST_NODES = 20_000;

interface Places {
  readonly key: Span | undefined;
  readonly value: Span;
}

/** Which source a node came from: `--set` puts nodes of an argument into the document of the file. */
export type Origins = ReadonlyMap<Node, Source>;

const join = (path: Path): string => JSON.stringify(path);

/** The range of a node without what follows it. */
const spanOf = (node: Node, source: Source): Span => {
  const [start, end] = node.range ?? [0, 0, 0];
  return { source, start, end };
};

class Unfolding {
  readonly places = new Map<string, Places>();
  readonly problems: Diagnostic[] = [];
  private count = 0;
  private readonly open = new Set<Node>();
  private readonly document: Document.Parsed;
  private readonly source: Source;
  private readonly origins: Origins;

  constructor(document: Document.Parsed, source: Source, origins: Origins) {
    this.document = document;
    this.source = source;
    this.origins = origins;
  }

  /** Plain data of a node; `at` is where an alias was written, for everything it stands for. */
  plain(node: unknown, path: Path, key: Span | undefined, at: Span | undefined): unknown {
    if (!isNode(node)) return this.leaf(null, path, key, at ?? key ?? this.whole());
    const span = at ?? spanOf(node, this.origins.get(node) ?? this.source);
    if (this.tooMany(span)) return null;
    if (isAlias(node)) return this.alias(node.resolve(this.document), path, key, span);
    this.places.set(join(path), { key, value: span });
    if (isMap(node)) return this.mapping(node, path, at);
    if (isSeq(node)) return node.items.map((item, i) => this.plain(item, [...path, i], undefined, at));
    return isScalar(node) ? node.value : null;
  }

  whole(): Span {
    return { source: this.source, start: 0, end: 1 };
  }

  private leaf(value: unknown, path: Path, key: Span | undefined, span: Span): unknown {
    this.places.set(join(path), { key, value: span });
    return value;
  }

  private tooMany(span: Span): boolean {
    if (++this.count <= MOST_NODES) return false;
    if (this.count === MOST_NODES + 1) {
      this.problems.push({
        code: 'alias-bomb',
        message: `aliases unfold into more than ${MOST_NODES} values`,
        span,
        hints: ['write the values out instead of nesting aliases'],
      });
    }
    return true;
  }

  private alias(target: Node | undefined, path: Path, key: Span | undefined, span: Span): unknown {
    if (target !== undefined && this.open.has(target)) {
      const hints = ['write the values out'];
      this.problems.push({ code: 'alias-cycle', message: 'this alias contains itself', span, hints });
      return null;
    }
    if (target === undefined) {
      const hints = ['define it with &name before it is used, or quote a text that starts with *'];
      this.problems.push({ code: 'bad-alias', message: 'this alias has no anchor before it', span, hints });
      return this.leaf(null, path, key, span);
    }
    this.open.add(target);
    const value = this.plain(target, path, key, span);
    this.open.delete(target);
    return value;
  }

  private mapping(node: YAMLMap, path: Path, at: Span | undefined): Record<string, unknown> {
    this.open.add(node);
    const entries = node.items.map((pair) => this.entry(pair, path, at)).filter((entry) => entry !== undefined);
    this.open.delete(node);
    return Object.fromEntries(entries);
  }

  private entry({ key, value }: Pair, path: Path, at: Span | undefined): [string, unknown] | undefined {
    const span = isNode(key) ? spanOf(key, this.origins.get(key) ?? this.source) : this.whole();
    if (isCollection(key) || isAlias(key) || !isScalar(key) || typeof key.value === 'object') {
      this.problems.push({ code: 'bad-key', message: 'a key must be a plain word', span, hints: [] });
      return undefined;
    }
    const name = String(key.value);
    return [name, this.plain(value, [...path, name], at ?? span, at)];
  }
}

/** Plain data of a parsed document with places, and the problems of unfolding it. */
export const locate = (
  document: Document.Parsed,
  source: Source,
  origins: Origins = new Map(),
): { readonly located: Located; readonly problems: readonly Diagnostic[] } => {
  const unfolding = new Unfolding(document, source, origins);
  const value = unfolding.plain(document.contents, [], undefined, undefined);
  const nearest = (path: Path): Places => {
    const places = unfolding.places.get(join(path));
    if (places !== undefined) return places;
    return path.length === 0 ? { key: undefined, value: unfolding.whole() } : nearest(path.slice(0, -1));
  };
  const keyOf = (path: Path): Span => nearest(path).key ?? nearest(path).value;
  const spanAt = (path: Path): Span => {
    const { key, value: span } = nearest(path);
    return span.end <= span.start && key !== undefined ? key : span;
  };
  const has = (path: Path): boolean => unfolding.places.has(join(path));
  return { located: { value, key: keyOf, at: spanAt, has }, problems: unfolding.problems };
};
