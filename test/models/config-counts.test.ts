import { describe, expect, it } from 'vitest';
import { recounted } from '../../models/config-counts.ts';
import type { AnatomySummary } from '../../models/inspection.ts';

type Layer = AnatomySummary['layers'][number];

const layer: Layer = { heads: 4, kvHeads: 4, headWidth: 8, ffn: 64, gated: false, inputWidth: 32, outputWidth: 32 };

const anatomy = (...layers: readonly Partial<Layer>[]): AnatomySummary => ({
  ...{ parts: [], hidden: 32, vocabulary: 100 },
  layers: layers.map((change) => ({ ...layer, ...change })),
});

const whole = anatomy({}, {}, {});
const gone = (...layers: readonly number[]) => ({ gone: layers, keepsStates: false });

describe('settings beside a graph that was cut', () => {
  it.each([
    ['BERT', ['num_attention_heads', 'intermediate_size', 'num_hidden_layers']],
    ['GPT-2', ['n_head', 'n_inner', 'n_layer']],
    ['DistilBERT', ['n_heads', 'hidden_dim', 'n_layers']],
  ])('say what is true now, as those of %s do', (_, [heads = '', ffn = '', layers = '']) => {
    const after = anatomy({ heads: 2, kvHeads: 2, ffn: 10 }, { heads: 2, kvHeads: 2, ffn: 10 });
    const config = { [heads]: 4, [ffn]: 64, [layers]: 3, head_dim: 8, other: 3, vocab_size: 100 };
    expect(recounted(config, whole, after, gone(1))).toEqual({
      config: { ...config, [heads]: 2, [ffn]: 10, [layers]: 2 },
      told: [],
    });
  });

  it('stay as they are where nothing that they count was cut', () => {
    const config = { num_attention_heads: 12, n_layer: 7, n_inner: null, encoder_layers: 3, text: 'x' };
    expect(recounted(config, whole, whole, gone())).toEqual({ config, told: [] });
  });

  it('count neurons where their number was that of a usual model', () => {
    expect(recounted({ n_inner: null }, whole, anatomy({ ffn: 9 }, { ffn: 9 }, { ffn: 9 }), gone()).config).toEqual({
      n_inner: 9,
    });
  });

  it('name the width of a head where nobody can tell it from the number of heads any more', () => {
    const after = anatomy(...[0, 1, 2].map(() => ({ heads: 2, kvHeads: 2 })));
    expect(recounted({ n_head: 4, n_embd: 32 }, whole, after, gone()).config).toEqual({
      n_head: 2,
      n_embd: 32,
      head_dim: 8,
    });
  });

  it('leave out what layers differ in, and what their maker counted otherwise', () => {
    const after = anatomy({ heads: 3, ffn: 9 }, { ffn: 9 }, { ffn: 9 });
    expect(recounted({ n_heads: 4, ffn_dim: 128, x: 1 }, whole, after, gone())).toEqual({
      config: { x: 1 },
      told: [
        'n_heads is left out: layers differ in it (3, 4)',
        'ffn_dim is left out: it said 128 where the graph had 64',
      ],
    });
  });

  it('speak of encoder and decoder apart', () => {
    const decoder = anatomy({ crossHeads: 4 }, { crossHeads: 4 });
    const after = anatomy({ crossHeads: 4, heads: 2 });
    const bart = { encoder_layers: 2, decoder_layers: 2, encoder_attention_heads: 4, decoder_attention_heads: 4 };
    expect(recounted(bart, decoder, after, gone(0)).config).toMatchObject({
      ...bart,
      ...{ decoder_layers: 1, decoder_attention_heads: 2 },
    });
    const t5 = { num_layers: 2, num_decoder_layers: 2, num_heads: 4, d_kv: 8 };
    expect(recounted(t5, decoder, after, gone(0)).config).toEqual({ ...t5, num_decoder_layers: 1, num_heads: 2 });
  });

  it('keep the number of layers where clients make states by it, and say so', () => {
    const config = { num_hidden_layers: 3, layer_types: ['a', 'b', 'c'] };
    expect(recounted(config, whole, anatomy({}, {}), { gone: [1], keepsStates: true })).toEqual({
      config,
      told: ['num_hidden_layers stays 3: the graph still takes the states of as many layers'],
    });
    expect(recounted(config, whole, anatomy({}, {}), gone(1)).config).toEqual({
      ...{ num_hidden_layers: 2, layer_types: ['a', 'c'] },
    });
  });
});
