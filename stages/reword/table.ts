import { columnOf, readTable, writeTable } from '../../data/columns.ts';
import type { TokenizerJson } from '../../data/tokenizer.ts';
import { partOf } from '../../data/tokenizers/parts.ts';
import type { Rewordings } from '../../engine/augment/rewordings.ts';

/** Other words by the ids of texts, in the tokens of the model that guessed them. */
export interface RewordingTable extends Rewordings {
  readonly ids: Int32Array;
  readonly tokenizer: TokenizerJson;
}

const FILE = 'rewordings.json';
const SCHEMA = 'decant.rewordings/1';

/** Writes rewordings.json with its columns beside it: see data/columns.ts. */
export const writeRewordings = (folder: string, { tokenizer, ...columns }: RewordingTable): Promise<void> =>
  writeTable(folder, FILE, { header: { schema: SCHEMA, tokenizer }, columns });

/** Reads what `writeRewordings` wrote; `path` maps a file name to where it lies. */
export const readRewordings = async (path: (file: string) => string): Promise<RewordingTable> => {
  const table = await readTable(path, FILE, SCHEMA);
  const whole = (name: string): Int32Array => columnOf(table, name, 'i32');
  return {
    tokenizer: partOf(table.header.tokenizer),
    ...{ ids: whole('ids'), starts: whole('starts'), places: whole('places'), was: whole('was') },
    ...{ others: whole('others'), tokens: whole('tokens'), chances: columnOf(table, 'chances', 'f32') },
  };
};

/** A table that grows text by text. */
export class RewordingRows {
  readonly #starts = [0];
  readonly #others = [0];
  readonly #places: number[] = [];
  readonly #was: number[] = [];
  readonly #tokens: number[] = [];
  readonly #chances: number[] = [];

  /** A word of the text that is open; what has no others is left out. */
  word(place: number, was: number, others: readonly { readonly token: number; readonly chance: number }[]): void {
    const total = others.reduce((sum, { chance }) => sum + chance, 0);
    if (!(total > 0)) return;
    this.#places.push(place);
    this.#was.push(was);
    for (const { token, chance } of others) {
      this.#tokens.push(token);
      this.#chances.push(chance / total);
    }
    this.#others.push(this.#tokens.length);
  }

  /** Closes a text. */
  close(): void {
    this.#starts.push(this.#places.length);
  }

  get words(): number {
    return this.#places.length;
  }

  get all(): Rewordings {
    return {
      ...{ starts: Int32Array.from(this.#starts), places: Int32Array.from(this.#places) },
      ...{ was: Int32Array.from(this.#was), others: Int32Array.from(this.#others) },
      ...{ tokens: Int32Array.from(this.#tokens), chances: Float32Array.from(this.#chances) },
    };
  }
}

/** Other words for the texts of these ids, in their order; `idOf` gives a token of the guesser its id at the reader, if it has one. */
export const rewordingsFor = (
  table: RewordingTable,
  wanted: readonly number[],
  idOf: (token: number) => number | undefined,
): Rewordings => {
  const { ids, starts, places, was, others, tokens, chances } = table;
  const texts = new Map(Array.from(ids, (id, text) => [id, text]));
  const rows = new RewordingRows();
  for (const id of wanted) {
    const text = texts.get(id);
    if (text === undefined) throw new Error(`no other words were guessed for example ${id}`);
    for (let word = starts[text] as number; word < (starts[text + 1] as number); word++) {
      const own = idOf(was[word] as number);
      if (own === undefined) continue;
      const known: { token: number; chance: number }[] = [];
      for (let at = others[word] as number; at < (others[word + 1] as number); at++) {
        const token = idOf(tokens[at] as number);
        if (token !== undefined) known.push({ token, chance: chances[at] as number });
      }
      rows.word(places[word] as number, own, known);
    }
    rows.close();
  }
  return rows.all;
};
