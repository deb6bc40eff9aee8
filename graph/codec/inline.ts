import type { onnx } from 'onnx-proto';
import { codecError } from './dtypes.ts';
import type { LocalFunction, LocalFunctions } from './functions.ts';
import { withinLimit } from './limits.ts';

/** Names that are made of others are cut, so that a file cannot ask for endless ones. */
const LONGEST = 100;

const namesIn = (graph: onnx.IGraphProto): readonly string[] => [
  ...[...(graph.input ?? []), ...(graph.initializer ?? [])].map(({ name }) => name ?? ''),
  ...(graph.node ?? []).flatMap((node) => [
    ...(node.output ?? []),
    ...(node.attribute ?? []).flatMap(({ g }) => (g ? namesIn(g) : [])),
  ]),
];

/** One call: what the names inside the function are outside, and what its attributes are. */
interface Call {
  readonly name: (inner: string) => string;
  readonly attribute: (name: string) => onnx.IAttributeProto | undefined;
}

/** Puts the nodes of local functions in the place of the nodes that call them. */
class Inlining {
  readonly #functions: LocalFunctions;
  readonly #taken: Set<string>;
  /** Nodes as the file has them, by their copies: they say what is called. */
  readonly #originals = new Map<onnx.INodeProto, onnx.INodeProto>();
  #calls = 0;
  #nodes = 0;
  #names = 0;

  constructor(graph: onnx.IGraphProto, functions: LocalFunctions) {
    this.#functions = functions;
    this.#taken = new Set(namesIn(graph));
  }

  graph(proto: onnx.IGraphProto, callers: readonly LocalFunction[]): onnx.IGraphProto {
    return { ...proto, node: (proto.node ?? []).flatMap((node) => this.#expanded(node, callers)) };
  }

  #expanded(node: onnx.INodeProto, callers: readonly LocalFunction[]): onnx.INodeProto[] {
    withinLimit('nodes', ++this.#nodes);
    const called = this.#functions.called(this.#originals.get(node) ?? node);
    if (called === undefined) return [this.#withBodies(node, callers)];
    if (callers.includes(called)) throw codecError(`the local function '${called.name}' calls itself`);
    withinLimit('calls', callers.length + 1);
    if ((node.input?.length ?? 0) > called.inputs.length) {
      throw codecError(
        `node '${node.name}' gives ${node.input?.length} inputs to the local function '${called.name}', which takes ${called.inputs.length}`,
      );
    }
    return this.#body(node, called, [...callers, called]);
  }

  /** A node with the calls inside its bodies expanded; names there are those outside already. */
  #withBodies(node: onnx.INodeProto, callers: readonly LocalFunction[]): onnx.INodeProto {
    if (!node.attribute?.some(({ g }) => g)) return node;
    return {
      ...node,
      attribute: node.attribute.map((attribute) =>
        attribute.g ? { ...attribute, g: this.graph(attribute.g, callers) } : attribute,
      ),
    };
  }

  #body(node: onnx.INodeProto, called: LocalFunction, callers: readonly LocalFunction[]): onnx.INodeProto[] {
    const { names, passed } = this.#results(node, called);
    const own = new Map((node.attribute ?? []).map((attribute) => [attribute.name ?? '', attribute]));
    const scope = `${called.name.slice(0, LONGEST)}.${this.#calls++}`;
    const call: Call = {
      name: (inner) => {
        if (inner === '') return '';
        const known = names.get(inner);
        if (known !== undefined) return known;
        const outer = this.#fresh(`${scope}/${inner.slice(0, LONGEST)}`);
        names.set(inner, outer);
        return outer;
      },
      attribute: (name) => own.get(name) ?? called.defaults.get(name),
    };
    const nodes = called.nodes.flatMap((inner) => this.#expanded(this.#outside(inner, call, scope), callers));
    const copies = passed.map(([inner, output]) => ({
      opType: 'Identity',
      input: [call.name(inner)],
      output: [output],
    }));
    return [...nodes, ...copies];
  }

  /** Names of inputs and results outside, and results that no node of the function makes, or that it gives twice. */
  #results(node: onnx.INodeProto, called: LocalFunction) {
    const names = new Map(called.inputs.map((name, i) => [name, node.input?.[i] ?? '']));
    const computed = new Set(called.nodes.flatMap(({ output }) => output ?? []));
    const passed: (readonly [string, string])[] = [];
    called.outputs.forEach((inner, i) => {
      const outer = node.output?.[i] ?? '';
      if (outer === '') return;
      if (computed.has(inner) && !names.has(inner)) names.set(inner, outer);
      else passed.push([inner, outer]);
    });
    return { names, passed };
  }

  #fresh(wanted: string): string {
    let name = wanted;
    while (this.#taken.has(name)) name = `${wanted}.${this.#calls++}`;
    this.#taken.add(name);
    return name;
  }

  #outside(node: onnx.INodeProto, call: Call, scope: string): onnx.INodeProto {
    this.#names += (node.input?.length ?? 0) + (node.output?.length ?? 0) + 1;
    withinLimit('names', this.#names);
    const copy = {
      ...node,
      name: node.name ? this.#fresh(`${scope}/${node.name.slice(0, LONGEST)}`) : '',
      input: (node.input ?? []).map(call.name),
      output: (node.output ?? []).map(call.name),
      attribute: (node.attribute ?? []).flatMap((attribute) => this.#given(attribute, call, scope)),
    };
    this.#originals.set(copy, node);
    return copy;
  }

  /** An attribute with what the call says where it refers to one of the call's; nothing where neither says anything. */
  #given(attribute: onnx.IAttributeProto, call: Call, scope: string): onnx.IAttributeProto[] {
    if (attribute.refAttrName) {
      const given = call.attribute(attribute.refAttrName);
      return given === undefined ? [] : [{ ...given, name: attribute.name ?? '' }];
    }
    return [attribute.g ? { ...attribute, g: this.#bodyOutside(attribute.g, call, scope) } : attribute];
  }

  #bodyOutside(graph: onnx.IGraphProto, call: Call, scope: string): onnx.IGraphProto {
    const renamed = <T extends { name?: string | null }>(items: readonly T[] | null | undefined): T[] =>
      (items ?? []).map((item) => ({ ...item, name: call.name(item.name ?? '') }));
    return {
      ...graph,
      input: renamed(graph.input),
      output: renamed(graph.output),
      initializer: renamed(graph.initializer),
      valueInfo: [],
      node: (graph.node ?? []).map((node) => this.#outside(node, call, scope)),
    };
  }
}

/**
 * A graph in which every call of a local function is the function's nodes: names are those of the call, attributes are given
 * by it or are the function's own. Refuses functions that call themselves, and more nodes than any model has.
 */
export const inlined = (graph: onnx.IGraphProto, functions: LocalFunctions): onnx.IGraphProto =>
  functions.any ? new Inlining(graph, functions).graph(graph, []) : graph;
