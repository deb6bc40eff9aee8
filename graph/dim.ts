/**
 * One dimension of a shape: a number, or a polynomial over named symbols such as `batch`, `2*sequence+1` or
 * `batch*sequence`. The text is canonical (sorted monomials), so equal text means equal dimension, and it is at the
 * same time a valid ONNX `dim_param`.
 */
export type Dim = number | Expression;
export type Expression = string & { readonly __brand: 'Expression' };
export type Shape = readonly Dim[];

/** Monomial ("batch*sequence", "" for the constant) to coefficient. */
type Polynomial = ReadonlyMap<string, number>;

const parsed = new Map<string, Polynomial>();

const parse = (dim: Dim): Polynomial => {
  if (typeof dim === 'number') return new Map([['', dim]]);
  let polynomial = parsed.get(dim);
  if (polynomial === undefined) {
    const terms = new Map<string, number>();
    for (const [, sign, body] of dim.matchAll(/([+-]?)([^+-]+)/g)) {
      let coefficient = sign === '-' ? -1 : 1;
      const symbols: string[] = [];
      for (const factor of (body ?? '').split('*')) {
        if (/^\d+$/.test(factor)) coefficient *= Number(factor);
        else symbols.push(factor);
      }
      const monomial = symbols.sort().join('*');
      terms.set(monomial, (terms.get(monomial) ?? 0) + coefficient);
    }
    polynomial = terms;
    parsed.set(dim, polynomial);
  }
  return polynomial;
};

const render = (polynomial: Polynomial): Dim => {
  const terms = [...polynomial]
    .filter(([, c]) => c !== 0)
    .sort(([a], [b]) => (a === '' ? 1 : b === '' ? -1 : a < b ? -1 : 1));
  if (terms.length === 0) return 0;
  if (terms.length === 1 && terms[0]?.[0] === '') return terms[0][1];
  let text = '';
  for (const [monomial, coefficient] of terms) {
    const size = Math.abs(coefficient);
    const body = monomial === '' ? `${size}` : size === 1 ? monomial : `${size}*${monomial}`;
    text += coefficient < 0 ? `-${body}` : text === '' ? body : `+${body}`;
  }
  return text as Expression;
};

/** A symbolic dimension. Characters outside `[A-Za-z0-9_.]` are replaced, since `+`, `-` and `*` carry meaning. */
export const symbol = (name: string): Expression => {
  const clean = name.replace(/[^A-Za-z0-9_.]/g, '_');
  return (/^[A-Za-z_]/.test(clean) ? clean : `_${clean}`) as Expression;
};

export const addDims = (a: Dim, b: Dim): Dim => {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  const sum = new Map(parse(a));
  for (const [monomial, coefficient] of parse(b)) sum.set(monomial, (sum.get(monomial) ?? 0) + coefficient);
  return render(sum);
};

export const multiplyDims = (a: Dim, b: Dim): Dim => {
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  const product = new Map<string, number>();
  for (const [m, c] of parse(a)) {
    for (const [n, d] of parse(b)) {
      const monomial = [...m.split('*'), ...n.split('*')]
        .filter((s) => s !== '')
        .sort()
        .join('*');
      product.set(monomial, (product.get(monomial) ?? 0) + c * d);
    }
  }
  return render(product);
};

export const subtractDims = (a: Dim, b: Dim): Dim => addDims(a, multiplyDims(-1, b));

/** `a / b` where b divides every term of a exactly (b a number or a single monomial), else undefined. */
export const divideDims = (a: Dim, b: Dim): Dim | undefined => {
  if (a === b) return 1;
  if (b === 0) return undefined;
  if (typeof a === 'number' && typeof b === 'number') return Number.isInteger(a / b) ? a / b : undefined;
  const divisor = [...parse(b)];
  if (divisor.length !== 1 || divisor[0] === undefined) return undefined;
  const [monomial, coefficient] = divisor[0];
  const quotient = new Map<string, number>();
  for (const [m, c] of parse(a)) {
    const symbols = m === '' ? [] : m.split('*');
    for (const s of monomial === '' ? [] : monomial.split('*')) {
      const at = symbols.indexOf(s);
      if (at < 0) return undefined;
      symbols.splice(at, 1);
    }
    if (!Number.isInteger(c / coefficient)) return undefined;
    quotient.set(symbols.join('*'), c / coefficient);
  }
  return render(quotient);
};

/** What a quotient that is no polynomial is called: floor((symbol + plus) / over) is a symbol of its own, which `bindDim` computes. */
const quotientName = (name: string, plus: number, over: number): string => `${name}.plus${plus}.over${over}`;
const quotientPattern = /^(.+)\.plus(\d+)\.over(\d+)$/;

interface Quotient {
  readonly name: string;
  readonly plus: number;
  readonly over: number;
}

/** The parts of a symbol that is a quotient. */
export const quotientIn = (name: string): Quotient | undefined => {
  const [, of, plus, over] = quotientPattern.exec(name) ?? [];
  return of === undefined ? undefined : { name: of, plus: Number(plus), over: Number(over) };
};

/**
 * floor(a / b) of a size: blocks that a sequence fills. Of what b does not divide there may be one symbol, once, and a
 * number; undefined where there is more, or where something is taken away.
 */
export const floorDims = (a: Dim, b: number): Dim | undefined => {
  if (typeof a === 'number') return b === 0 ? undefined : Math.floor(a / b);
  if (!Number.isInteger(b) || b < 1 || [...parse(a).values()].some((coefficient) => coefficient < 0)) return undefined;
  let [whole, rest]: [Dim, Dim] = [0, 0];
  for (const [monomial, coefficient] of parse(a)) {
    const over = Math.floor(coefficient / b);
    const term = monomial === '' ? 1 : (monomial as Expression);
    whole = addDims(whole, multiplyDims(over, term));
    rest = addDims(rest, multiplyDims(coefficient - over * b, term));
  }
  const plus = parse(rest).get('') ?? 0;
  const open = subtractDims(rest, plus);
  if (open === 0) return whole;
  const [only, ...others] = parse(open);
  if (only === undefined || others.length > 0 || only[1] !== 1 || only[0].includes('*')) return undefined;
  return addDims(whole, symbol(quotientName(only[0], plus, b)));
};

export const productOf = (dims: Shape): Dim => dims.reduce<Dim>(multiplyDims, 1);

/** A number times symbols, which may be none. */
export interface Term {
  readonly times: number;
  readonly symbols: readonly Expression[];
}

/** A dimension as the sum of its terms. */
export const termsOf = (dim: Dim): readonly Term[] =>
  [...parse(dim)].map(([monomial, times]) => ({
    times,
    symbols: monomial === '' ? [] : monomial.split('*').map(symbol),
  }));

/** The symbols that a dimension hangs on, each once. */
export const symbolsOf = (dim: Dim): readonly string[] => [
  ...new Set(termsOf(dim).flatMap(({ symbols }) => symbols.map((name) => quotientIn(name)?.name ?? name))),
];

/** What stands for a symbol; a quotient where its own is given, as far as it can be said. */
const boundSymbol = (name: string, symbols: Readonly<Record<string, Dim>>): Dim => {
  const known = symbols[name];
  if (known !== undefined) return known;
  const quotient = quotientIn(name);
  const given = quotient === undefined ? undefined : symbols[quotient.name];
  if (quotient === undefined || given === undefined) return symbol(name);
  const { plus, over } = quotient;
  return floorDims(addDims(given, plus), over) ?? symbol(quotientName(String(given), plus, over));
};

/** The dimension with some symbols replaced, for example `{ batch: 1, sequence: 12 }`. */
export const bindDim = (dim: Dim, symbols: Readonly<Record<string, Dim>>): Dim => {
  if (typeof dim === 'number') return dim;
  let sum: Dim = 0;
  for (const [monomial, coefficient] of parse(dim)) {
    let term: Dim = coefficient;
    for (const s of monomial === '' ? [] : monomial.split('*')) term = multiplyDims(term, boundSymbol(s, symbols));
    sum = addDims(sum, term);
  }
  return sum;
};

/** Whether a tensor of these sizes may stand where a shape is asked for: as many axes, and its numbers. */
export const fitsShape = (dims: readonly number[], shape: Shape): boolean =>
  shape.length === dims.length && shape.every((dim, i) => typeof dim !== 'number' || dim === dims[i]);
