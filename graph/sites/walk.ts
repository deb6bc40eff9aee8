import { callOf, type Known } from '../call.ts';
import { capturedBy, type Graph, indexOf, type Node, opsetOf, type Value } from '../graph.ts';
import type { Use } from '../op.ts';
import { findOp } from '../ops/index.ts';
import type { DType } from '../tensor.ts';
import {
  alignedAxes,
  type Carried,
  type Content,
  data,
  isCarrying,
  isEncoded,
  isFloating,
  isLone,
  isSingle,
  longAxes,
  masks,
  movedOn,
  ownUse,
  wholeOf,
} from './content.ts';
import { onceEach } from './ways.ts';

/** One use of a weight by a node, in the axes of the weight. */
export interface Found {
  readonly weight: Value;
  readonly node: Node;
  readonly use: Use;
  readonly through: readonly Node[];
}

/** An input of a node with what it holds and what the operator does with it. */
interface Port {
  readonly value: Value;
  readonly content: Content;
  /** Undefined where the record names no use. */
  readonly use: Use | undefined;
}
type Made = Port & { readonly content: Extract<Content, { kind: 'made' }> };

const isMade = (port: Port): port is Made => port.content.kind === 'made' && port.content.of.length > 0;

const computing: ReadonlySet<Use['kind']> = new Set<Use['kind']>(['linear', 'bias', 'scale', 'norm']);
const computes = ({ use }: Port): boolean => use !== undefined && computing.has(use.kind);

/** What is added and was never learned: a mask, or what a table is apart from itself, which compares its entries. */
const isSetting = (graph: Graph, { weight }: Carried, others: readonly Port[]): boolean =>
  masks(graph, weight) ||
  others.every(({ content }) => content.kind === 'made' && content.of.every((one) => one.weight === weight));

/** Results that go on holding what their inputs held; integers are sums of integer products. */
const holdsNumbers = (dtype: DType | undefined): boolean => isCarrying(dtype) || dtype === 'int32';

const looksUp = ({ claim }: Carried): boolean => claim?.use.kind === 'lookup';

/**
 * Walks through a graph and finds what each weight is for. A weight gets the role that the operator's record gives its input
 * where it meets the stream; what stands between (a transposition, a slice, the norm of a table) is looked through.
 */
export class Walk {
  readonly #graph: Graph;
  readonly #known: Known;
  readonly #contents = new Map<Value, Content>();
  readonly #found = new Map<string, Found>();
  /** Linears with a single output. */
  readonly #givesOne = new Set<Node>();

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#known = {
      type: (value) => graph.types.get(value),
      weight: (value) => graph.weights.get(value),
      ints: () => undefined,
    };
    for (const input of graph.inputs) {
      const floats = isFloating(graph.types.get(input)?.dtype);
      this.#contents.set(input, floats ? { kind: 'stream', raw: true, integers: false } : data);
    }
  }

  run(): readonly Found[] {
    for (const node of this.#graph.nodes) this.#visit(node);
    for (const output of this.#graph.outputs) {
      const content = this.#contents.get(output);
      if (content?.kind === 'made') for (const carried of content.of) this.#accept(carried);
    }
    return [...this.#found.values()];
  }

  #visit(node: Node): void {
    const ports = this.#portsOf(node);
    for (const port of ports.filter(isMade)) {
      if (port.use?.kind === 'fixed') this.#fix(port.content.of, node, port);
    }
    const live = ports.filter(({ use }) => use?.kind !== 'fixed');
    const streams = ports.filter(({ content }) => content.kind === 'stream');
    const isRaw = streams.every(({ content }) => content.kind === 'stream' && content.raw);
    const looked = live.filter(isMade).some(({ content }) => content.of.some(looksUp));
    if (streams.length > 0 && !(isRaw && looked)) this.#meet(node, live, streams);
    else this.#make(node, live);
    this.#capture(node);
  }

  /** What the bodies inside If and Loop read is for whatever they do with it; the stream goes on behind them. */
  #capture(node: Node): void {
    for (const value of capturedBy(node)) {
      const content = this.#contents.get(value);
      if (content?.kind === 'made') for (const carried of content.of) this.#accept(carried);
      if (content?.kind === 'stream') for (const output of node.outputs) this.#contents.set(output, content);
      if (this.#graph.weights.has(value)) this.#add(wholeOf(this.#graph, value), node, this.#usedInside(value));
    }
  }

  #usedInside(weight: Value): Use {
    const learned =
      isCarrying(this.#graph.weights.get(weight)?.dtype) && !isLone(this.#graph, wholeOf(this.#graph, weight));
    return learned ? { input: -1, kind: 'table', axis: 0 } : { input: -1, kind: 'fixed' };
  }

  #portsOf(node: Node): readonly Port[] {
    const uses = this.#usesOf(node);
    return node.inputs.flatMap((value, input) =>
      value === null
        ? []
        : [{ value, content: this.#contentOf(value, node, input), use: uses.find((use) => use.input === input) }],
    );
  }

  /** An operator without a record may learn whatever it reads. */
  #usesOf(node: Node): readonly Use[] {
    const call = callOf(node, opsetOf(this.#graph.opsets, node.domain), this.#known);
    const record = findOp(node.domain, node.op, call.opset);
    if (record === undefined) return node.inputs.map((_, input) => ({ input, kind: 'table', axis: 0 }));
    return record.uses?.(call) ?? [];
  }

  #contentOf(value: Value, node: Node, input: number): Content {
    const content = this.#contents.get(value);
    if (content !== undefined) return content;
    const tensor = this.#graph.weights.get(value);
    if (tensor === undefined) return data;
    if (isCarrying(tensor.dtype)) return { kind: 'made', of: [wholeOf(this.#graph, value)] };
    this.#add(wholeOf(this.#graph, value), node, { input, kind: 'fixed' });
    return data;
  }

  #add(carried: Carried, node: Node, use: Use): void {
    const { weight, through } = carried;
    const key = `${node.outputs[0]}\n${use.input}\n${weight}`;
    if (this.#found.get(key)?.use.kind === undefined || this.#found.get(key)?.use.kind === 'fixed') {
      this.#found.set(key, { weight, node, use, through });
      const outer = use.kind === 'linear' ? this.#graph.weights.get(weight)?.dims[use.outer] : undefined;
      if (outer === 1) this.#givesOne.add(node);
    }
  }

  #fix(of: readonly Carried[], node: Node, { use }: Port, input = use?.input ?? -1): void {
    for (const carried of of)
      this.#add(carried, carried.claim?.node ?? node, { input: carried.claim?.use.input ?? input, kind: 'fixed' });
  }

  #accept({ weight, axes, claim }: Carried): void {
    if (claim !== undefined) this.#add({ weight, axes, through: claim.through }, claim.node, claim.use);
  }

  /** Weights meet the stream: what the operator does with them is what they are for. */
  #meet(node: Node, ports: readonly Port[], streams: readonly Port[]): void {
    const integers = streams.some(({ content }) => content.kind === 'stream' && content.integers);
    const weighed = ports.filter(isMade);
    for (const port of weighed) {
      for (const carried of port.content.of) this.#settle(carried, node, port, integers);
    }
    const raw = weighed.length === 0 && streams.every(({ content }) => content.kind === 'stream' && content.raw);
    node.outputs.forEach((output) => {
      const type = this.#graph.types.get(output);
      const flows = holdsNumbers(type?.dtype);
      const summed = type?.dtype === 'int32' || (integers && weighed.length === 0);
      const content: Content = { kind: 'stream', raw, integers: summed };
      this.#contents.set(output, flows && !isSingle(this.#graph, output) ? content : data);
    });
  }

  #settle(carried: Carried, node: Node, port: Made, integers: boolean): void {
    const { use } = port;
    if (carried.claim !== undefined) {
      // Rows that only ever multiply the stream turn it: tables of angles.
      if (looksUp(carried) && use?.kind === 'scale') this.#fix([carried], node, port);
      else this.#accept(carried);
      return;
    }
    const input = node.inputs.indexOf(port.value);
    const learned = use !== undefined && this.#isLearned(carried, node, use, integers);
    this.#add(carried, node, learned ? ownUse(this.#graph, carried, use) : { input, kind: 'fixed' });
  }

  #isLearned(carried: Carried, node: Node, use: Use, integers: boolean): boolean {
    const tensor = this.#graph.weights.get(carried.weight);
    const long = longAxes(tensor?.dims ?? []).length;
    switch (use.kind) {
      case 'linear':
      case 'norm':
      case 'lookup':
        return true;
      case 'scale':
        return long === 1 && !integers;
      case 'bias':
        return long === 0 ? this.#isBehindOne(node) : long === 1 || !masks(this.#graph, carried.weight);
      case 'table':
        return long > 0 && (long === 1 || !masks(this.#graph, carried.weight));
      default:
        return false;
    }
  }

  /** A bias of one number belongs to a linear that gives one; other single numbers are settings. */
  #isBehindOne(node: Node): boolean {
    const { producer } = indexOf(this.#graph);
    const makers = [node, ...node.inputs.flatMap((input) => (input === null ? [] : (producer.get(input) ?? [])))];
    return makers.some((maker) => this.#givesOne.has(maker));
  }

  /** Nothing of the stream is here: the result is made of weights, or learned rows begin the stream. */
  #make(node: Node, ports: readonly Port[]): void {
    const weighed = ports.filter(isMade);
    const single = weighed.filter(({ value }) => isSingle(this.#graph, value));
    for (const port of single) this.#fix(port.content.of, node, port, node.inputs.indexOf(port.value));
    const made = weighed.filter((port) => !single.includes(port));
    const begins = made.length > 1 && made.some(({ content }) => content.of.some(looksUp)) && made.every(computes);
    if (begins) this.#begin(node, this.#withoutSteps(node, made));
    else this.#carry(node, ports, this.#withoutSteps(node, made));
  }

  /** Integers times their steps are the weight; the steps are a matter of how it is kept. */
  #withoutSteps(node: Node, made: readonly Made[]): readonly Made[] {
    const encoded = made.filter(({ content }) => content.of.some(({ weight }) => isEncoded(this.#graph, weight)));
    if (encoded.length === 0 || encoded.length === made.length || made.some(({ use }) => use?.kind !== 'scale'))
      return made;
    for (const port of made) if (!encoded.includes(port)) this.#fix(port.content.of, node, port);
    return encoded;
  }

  /** Rows meet other weights: from here on there is a stream. */
  #begin(node: Node, made: readonly Made[]): void {
    if (made.length === 1) {
      this.#carry(node, made, made);
      return;
    }
    for (const { content, use } of made) {
      for (const carried of content.of) {
        if (carried.claim !== undefined) this.#accept(carried);
        else if (use !== undefined) this.#add(carried, node, ownUse(this.#graph, carried, use));
      }
    }
    for (const output of node.outputs) {
      const integers = this.#graph.types.get(output)?.dtype === 'int32';
      this.#contents.set(output, { kind: 'stream', raw: false, integers });
    }
  }

  #carry(node: Node, ports: readonly Port[], made: readonly Made[]): void {
    const others = (port: Port): readonly Port[] =>
      ports.filter((other) => other !== port && computes(other) && !isSingle(this.#graph, other.value));
    const of = onceEach(made.flatMap((port) => this.#carriedOn(node, port, others(port))));
    node.outputs.forEach((output) => {
      const dtype = this.#graph.types.get(output)?.dtype;
      this.#contents.set(output, of.length > 0 && holdsNumbers(dtype) ? { kind: 'made', of } : data);
    });
  }

  /** The weights of one input behind the node. */
  #carriedOn(node: Node, port: Made, others: readonly Port[]): readonly Carried[] {
    const { use, content, value } = port;
    const to = this.#graph.types.get(node.outputs[0] ?? value)?.shape;
    const moves =
      (use?.kind === 'passed' ? use.axes : undefined) ?? alignedAxes(this.#graph.types.get(value)?.shape, to);
    return content.of.flatMap((carried): readonly Carried[] => {
      const claimed = this.#claimed(carried, node, port, others);
      if (claimed === undefined) this.#fix([carried], node, port);
      return claimed === undefined ? [] : [movedOn(claimed, node, use?.kind === 'linear' ? [] : moves)];
    });
  }

  /** The weight with what the node claims of it; undefined where the node makes data of it. */
  #claimed(carried: Carried, node: Node, { use }: Port, others: readonly Port[]): Carried | undefined {
    if (carried.claim !== undefined || use === undefined || use.kind === 'passed' || use.kind === 'table')
      return carried;
    // What a matrix of weights is multiplied by is its rows' own data: a table through a projection.
    const isTable = use.kind === 'linear' && use.input === 0;
    const role: Use = isTable ? { input: 0, kind: 'table', axis: use.outer } : use;
    const claim = { node, use: ownUse(this.#graph, carried, role), through: carried.through };
    if (use.kind === 'lookup' || use.kind === 'linear' || use.kind === 'norm') return { ...carried, claim };
    if (others.length === 0) return carried;
    if (use.kind === 'bias' && isSetting(this.#graph, carried, others)) return undefined;
    return others.every(isMade) ? { ...carried, claim } : undefined;
  }
}
