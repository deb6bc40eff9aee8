import { cosineOf } from '../../data/cosine.ts';
import { logSumExp } from '../../data/rows.ts';
import type { Encoded } from '../../engine/encoded.ts';
import { observe, type Seen, type Watching } from '../../engine/observe/index.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import { choosesOne } from '../../ground/tasks.ts';
import type { ModelInfo } from '../../models/model.ts';
import { answerName } from '../../models/signature.ts';

/** KL divergence of what logits q say from what logits p say. */
const divergence = (p: Float32Array, q: Float32Array): number => {
  const [ofP, ofQ] = [logSumExp(p), logSumExp(q)];
  let sum = 0;
  for (let i = 0; i < p.length; i++) {
    const log = (p[i] as number) - ofP;
    sum += Math.exp(log) * (log - ((q[i] as number) - ofQ));
  }
  return Math.max(0, sum);
};

const oneMinusCosine = (p: Float32Array, q: Float32Array): number => 1 - cosineOf(p, 0, q, 0, p.length);

/** Sum of what each row of answers lost, over their number. */
const lossOf = (before: Seen, after: Seen, between: typeof divergence): number => {
  let sum = 0;
  for (let row = 0; row < before.rows; row++) {
    const [from, to] = [row * before.width, (row + 1) * before.width];
    sum += between(before.data.subarray(from, to), after.data.subarray(from, to));
  }
  return sum / Math.max(1, before.rows);
};

/** Compares models with one whose answers are known. */
export class Harms {
  readonly #watching: Watching;
  readonly #examples: readonly Encoded[];
  readonly #answers: readonly Seen[];
  readonly #between: typeof divergence;

  private constructor(watching: Watching, examples: readonly Encoded[], answers: readonly Seen[]) {
    this.#watching = watching;
    this.#examples = examples;
    this.#answers = answers;
    this.#between = choosesOne(watching.info.task) ? divergence : oneMinusCosine;
  }

  /** Asks the model once. */
  static async of(watching: Watching, examples: readonly Encoded[]): Promise<Harms> {
    return new Harms(watching, examples, await Harms.#ask(watching, examples));
  }

  static async #ask(watching: Watching, examples: readonly Encoded[]): Promise<readonly Seen[]> {
    const name = Harms.#answer(watching.info);
    const answers: Seen[] = [];
    await observe(watching, [name], examples, (seen) => {
      const own = seen.get(name);
      if (own !== undefined) answers.push(own);
      return true;
    });
    return answers;
  }

  static #answer(info: ModelInfo): Value {
    return answerName(info.signature);
  }

  /** How far a graph's answers are from those of the model, averaged over texts. */
  async harmOf(graph: Graph): Promise<number> {
    const after = await Harms.#ask({ ...this.#watching, graph }, this.#examples);
    const losses = this.#answers.map((before, i) => {
      const own = after[i];
      return own === undefined ? Number.NaN : lossOf(before, own, this.#between);
    });
    return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  }
}
