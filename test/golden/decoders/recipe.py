"""Makes the golden decoders: tiny Hugging Face folders with random weights and what PyTorch computes from them.

    python recipe.py [NAME ...]      # all of them, or the named ones; needs torch, transformers, tokenizers, safetensors

A folder is named by its model_type, and behind a hyphen by what is special in it. expected.json holds ids and the scores of
every seventh token of the vocabulary. Weights deviate by 0.2 and norms and biases are moved from 1 and 0, so that a mistake
shows in the first digits. stretched.json beside the first LLaMA has scores of the same weights under other rotary positions.

minimind is no part of transformers. What it computes is Qwen3 (or LLaMA, before it normalised queries and keys) with YaRN's
positions where its config says `inference_rope_scaling`; its config.json is written here. Made with torch 2.15, transformers 5.24.
"""

import json
import os
import sys
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"

import torch
import transformers as t
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

HERE = Path(__file__).parent
END = "<|endoftext|>"
SMALL = dict(
    vocab_size=258, hidden_size=16, intermediate_size=20, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=64, bos_token_id=0, eos_token_id=0, pad_token_id=0,
)
GPT2 = dict(vocab_size=258, n_positions=64, n_embd=16, n_layer=2, n_head=4)
OPT = dict(
    vocab_size=258, hidden_size=16, num_hidden_layers=2, ffn_dim=20, max_position_embeddings=64, num_attention_heads=4,
    bos_token_id=0, eos_token_id=0, pad_token_id=0,
)


def without(config, key):
    return {name: value for name, value in config.items() if name != key}


MODELS = {
    "llama": lambda: t.LlamaForCausalLM(t.LlamaConfig(**SMALL, attention_bias=True, mlp_bias=True, rope_theta=500.0)),
    "mistral": lambda: t.MistralForCausalLM(t.MistralConfig(**SMALL, sliding_window=5)),
    "qwen2": lambda: t.Qwen2ForCausalLM(t.Qwen2Config(**SMALL, tie_word_embeddings=True)),
    "qwen3": lambda: t.Qwen3ForCausalLM(t.Qwen3Config(**SMALL, head_dim=8, tie_word_embeddings=True)),
    "gemma": lambda: t.GemmaForCausalLM(t.GemmaConfig(**SMALL, head_dim=8)),
    "gemma2": lambda: t.Gemma2ForCausalLM(
        t.Gemma2Config(
            **SMALL, head_dim=8, sliding_window=5, query_pre_attn_scalar=5, attn_logit_softcapping=2.0,
            final_logit_softcapping=3.0, attn_implementation="eager",
        )
    ),
    "gpt2": lambda: t.GPT2LMHeadModel(
        t.GPT2Config(**GPT2, n_inner=20, scale_attn_by_inverse_layer_idx=True, bos_token_id=0, eos_token_id=0)
    ),
    "gpt2-untied": lambda: t.GPT2LMHeadModel(
        t.GPT2Config(**GPT2, scale_attn_weights=False, tie_word_embeddings=False, bos_token_id=0, eos_token_id=0)
    ),
    "gpt_neox": lambda: t.GPTNeoXForCausalLM(t.GPTNeoXConfig(**without(SMALL, "num_key_value_heads"), rotary_pct=0.5)),
    "gpt_neox-serial": lambda: t.GPTNeoXForCausalLM(
        t.GPTNeoXConfig(
            **without(SMALL, "num_key_value_heads"), rotary_pct=1.0, use_parallel_residual=False, attention_bias=False,
            tie_word_embeddings=True, rotary_emb_base=500,
        )
    ),
    "opt": lambda: t.OPTForCausalLM(t.OPTConfig(**OPT)),
    "opt-projected": lambda: t.OPTForCausalLM(
        t.OPTConfig(
            **OPT, do_layer_norm_before=False, word_embed_proj_dim=12, enable_bias=False,
            layer_norm_elementwise_affine=False,
        )
    ),
    "minimind": lambda: t.Qwen3ForCausalLM(
        t.Qwen3Config(
            **{**SMALL, "max_position_embeddings": 4096}, head_dim=8, tie_word_embeddings=True, rope_parameters=YARN
        )
    ),
    "minimind-plain": lambda: t.LlamaForCausalLM(
        t.LlamaConfig(**SMALL, rms_norm_eps=1e-5, rope_theta=1e6, tie_word_embeddings=True)
    ),
}
YARN = dict(
    rope_type="yarn", rope_theta=1e6, factor=16.0, beta_fast=32.0, beta_slow=1.0, attention_factor=1.0,
    original_max_position_embeddings=2048,
)
# What minimind's own class writes of itself.
MINIMIND = {
    "minimind": dict(head_dim=8, rms_norm_eps=1e-6, inference_rope_scaling=True),
    "minimind-plain": dict(rms_norm_eps=1e-5),
}
STRETCHED = [
    dict(rope_type="linear", rope_theta=500.0, factor=4.0),
    dict(
        rope_type="llama3", rope_theta=500.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
        original_max_position_embeddings=32,
    ),
    dict(rope_type="yarn", rope_theta=50.0, factor=4.0, beta_fast=4.0, original_max_position_embeddings=32),
    dict(
        rope_type="yarn", rope_theta=50.0, factor=4.0, mscale=1.5, mscale_all_dim=0.5, truncate=False, beta_fast=3.0,
        original_max_position_embeddings=32,
    ),
]
ROWS = [[0, 40, 77, 12, 200, 41, 9, 140, 33, 250], [0, 7, 99, 180]]


def tokenizer():
    """Bytes, and one pair of them."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate([END, *alphabet, "th"])}
    made = Tokenizer(models.BPE(vocabulary, [("t", "h")]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return t.PreTrainedTokenizerFast(tokenizer_object=made, bos_token=END, eos_token=END, pad_token=END)


def shaken(model):
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            noise = 0.2 * torch.randn(weight.shape, generator=generator)
            weight.copy_(1 + noise if "norm" in name or "ln_" in name else noise)
    return model.eval()


def scores_of(model):
    length = max(map(len, ROWS))
    ids = torch.tensor([row + [0] * (length - len(row)) for row in ROWS])
    mask = torch.tensor([[1] * len(row) + [0] * (length - len(row)) for row in ROWS])
    with torch.no_grad():
        logits = model(input_ids=ids, attention_mask=mask).logits
    return [[[round(x, 6) for x in place] for place in row[: len(own), ::7].tolist()] for row, own in zip(logits, ROWS)]


def as_minimind(folder, own):
    """config.json as minimind's class writes it."""
    config = json.loads((folder / "config.json").read_text())
    kept = (
        "hidden_act hidden_size intermediate_size max_position_embeddings num_attention_heads num_hidden_layers "
        "num_key_value_heads tie_word_embeddings vocab_size bos_token_id eos_token_id dtype transformers_version"
    )
    scaling = {**without(YARN, "rope_theta"), "type": "yarn"} if own.get("inference_rope_scaling") else None
    settings = {
        "architectures": ["MiniMindForCausalLM"], "model_type": "minimind", "dropout": 0.0, "flash_attn": True,
        "use_moe": False, "rope_theta": 1000000.0, "rope_scaling": scaling, **own,
    }
    config = {**{key: config[key] for key in kept.split()}, **settings}
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


for name in sys.argv[1:] or MODELS:
    torch.manual_seed(1)
    model = shaken(MODELS[name]())
    folder = HERE / name
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    # Read back as others read it.
    model = t.AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()
    (folder / "expected.json").write_text(json.dumps({"rows": ROWS, "scores": scores_of(model)}) + "\n")
    if name in MINIMIND:
        as_minimind(folder, MINIMIND[name])
    if name == "llama":
        stretched = []
        for rope in STRETCHED:
            config = t.AutoConfig.from_pretrained(folder)
            config.rope_parameters = dict(rope)
            other = t.AutoModelForCausalLM.from_pretrained(folder, config=config).eval()
            stretched.append({"rope_parameters": rope, "scores": scores_of(other)})
        (folder / "stretched.json").write_text(json.dumps(stretched) + "\n")
