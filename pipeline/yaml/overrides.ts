import { type Document, isMap, isNode, isScalar, isSeq, type Node, Scalar, visit, YAMLMap } from 'yaml';
import type { Diagnostic, Source, Span } from '../diagnostic.ts';
import { parseYaml } from './document.ts';
import { nameHints } from './suggest.ts';

interface Segment {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** The words between the dots of `stages.teacher.epochs`, with their places in the text where the path begins at `from`. */
const segments = (path: string, from = 0): readonly Segment[] => {
  let start = from;
  return path.split('.').map((name) => {
    const segment = { name, start, end: start + name.length };
    start = segment.end + 1;
    return segment;
  });
};

/** A value that goes to a path of the document, and where that path is written. */
export interface Setting {
  readonly path: string;
  readonly start: number;
  readonly source: Source;
  readonly value: Node;
}

class Override {
  readonly problems: Diagnostic[] = [];
  private readonly document: Document;
  private readonly source: Source;
  private readonly origins: Map<Node, Source>;

  constructor(document: Document, source: Source, origins: Map<Node, Source>) {
    this.document = document;
    this.source = source;
    this.origins = origins;
  }

  apply(): void {
    const { text } = this.source;
    const equals = text.indexOf('=');
    if (equals < 1) {
      this.problem('bad-override', 'expected path=value', 0, text.length, [
        'for example: --set data.limit=2000 or --set stages.teacher.epochs=3',
      ]);
      return;
    }
    const path = this.path(text.slice(0, equals), 0);
    const value = path === undefined ? undefined : this.value(equals);
    if (path === undefined || value === undefined) return;
    this.document.contents ??= new YAMLMap();
    this.put(this.document.contents, path, value);
  }

  /** Puts a value that stands in a document at a path that stands there, too. */
  set({ path: text, start, value }: Setting): void {
    const path = this.path(text, start);
    if (path !== undefined) this.put(this.document.contents, path, value);
  }

  private path(text: string, start: number): readonly Segment[] | undefined {
    const path = segments(text, start);
    const empty = path.find(({ name }) => name === '');
    if (empty === undefined) return path;
    this.problem('bad-override', 'a name is missing in the path', empty.start, empty.end + 1, []);
    return undefined;
  }

  /** The value as YAML; blanks stand in for the path, so that offsets are those of the argument. */
  private value(equals: number): Node | undefined {
    const text = ' '.repeat(equals + 1) + this.source.text.slice(equals + 1);
    const { document, problems } = parseYaml({ name: this.source.name, text });
    this.problems.push(...problems.map((problem) => ({ ...problem, span: { ...problem.span, source: this.source } })));
    if (problems.length > 0) return undefined;
    const value: Node = document.contents ?? new Scalar(null);
    if (document.contents === null) value.range = [equals, equals + 1, equals + 1];
    visit(value, { Node: (_, node) => void this.origins.set(node, this.source) });
    return value;
  }

  private put(parent: unknown, path: readonly Segment[], value: Node): void {
    const [segment, ...rest] = path;
    if (segment === undefined) return;
    if (isSeq(parent)) {
      const index = this.indexIn(parent.items, segment);
      if (index === undefined) return;
      if (rest.length === 0) parent.items[index] = value;
      else this.put(parent.items[index], rest, value);
      return;
    }
    if (!isMap(parent)) {
      const message = `there is nothing inside of which "${segment.name}" could be set`;
      this.problem('bad-override', message, segment.start, segment.end, []);
      return;
    }
    this.putInto(parent, segment, rest, value);
  }

  private putInto(parent: YAMLMap, segment: Segment, rest: readonly Segment[], value: Node): void {
    const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === segment.name);
    if (rest.length > 0 && pair !== undefined && isNode(pair.value) && !isScalar(pair.value)) {
      this.put(pair.value, rest, value);
      return;
    }
    if (rest.length > 0 && isScalar(pair?.value) && pair.value.value !== null) {
      const message = `"${segment.name}" holds a plain value; nothing can be set inside of it`;
      this.problem('bad-override', message, segment.start, segment.end, []);
      return;
    }
    const inner = new YAMLMap();
    inner.range = [segment.start, segment.end, segment.end];
    this.origins.set(inner, this.source);
    const key = this.key(segment);
    const set = rest.length === 0 ? value : inner;
    if (pair === undefined) parent.add(this.document.createPair(key, set));
    else Object.assign(pair, { key, value: set });
    if (rest.length > 0) this.put(inner, rest, value);
  }

  private key({ name, start, end }: Segment): Scalar {
    const key = new Scalar(name);
    key.range = [start, end, end];
    this.origins.set(key, this.source);
    return key;
  }

  /** List items go by their `id`, or by their number from 0. */
  private indexIn(items: readonly unknown[], { name, start, end }: Segment): number | undefined {
    const ids = items.map((item) => (isMap(item) ? String(item.get('id') ?? '') : ''));
    const index = /^\d+$/.test(name) ? Number(name) : ids.indexOf(name);
    if (index >= 0 && index < items.length) return index;
    const hints = nameHints(
      name,
      ids.filter((id) => id !== ''),
      'ids',
    );
    this.problem('unknown-stage', `no item has the id "${name}"`, start, end, hints);
    return undefined;
  }

  private problem(code: string, message: string, start: number, end: number, hints: readonly string[]): void {
    const span: Span = { source: this.source, start, end };
    this.problems.push({ code, message, span, hints });
  }
}

/**
 * Puts the values of `--set path=value` into the document. Their nodes keep the argument as origin, so that a problem
 * with them is shown there and not in the file.
 */
export const applyOverrides = (
  document: Document,
  settings: readonly string[],
  origins: Map<Node, Source>,
): readonly Diagnostic[] =>
  settings.flatMap((text) => {
    const override = new Override(document, { name: '--set', text }, origins);
    override.apply();
    return override.problems;
  });

/** Puts values that stand elsewhere in the document where they belong: problems with them are shown where they stand. */
export const applySettings = (
  document: Document,
  settings: readonly Setting[],
  origins: Map<Node, Source>,
): readonly Diagnostic[] =>
  settings.flatMap((setting) => {
    const override = new Override(document, setting.source, origins);
    override.set(setting);
    return override.problems;
  });
