"""Makes the golden decoders: tiny Hugging Face folders with random weights and what PyTorch computes from them.

    python recipe.py [NAME ...]      # all of them, or the named ones; needs torch, transformers, tokenizers, safetensors

expected.json holds ids, a mask and the scores of every seventh token of the vocabulary. Weights deviate by 0.2 and norms and
biases are moved from 1 and 0, so that a mistake shows in the first digits. Made with torch 2.15, transformers 5.24.
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
MODELS = {
    "llama": lambda: t.LlamaForCausalLM(t.LlamaConfig(**SMALL, attention_bias=True, mlp_bias=True, rope_theta=500.0)),
    "mistral": lambda: t.MistralForCausalLM(t.MistralConfig(**SMALL, sliding_window=5)),
    "qwen2": lambda: t.Qwen2ForCausalLM(t.Qwen2Config(**SMALL, tie_word_embeddings=True)),
    "qwen3": lambda: t.Qwen3ForCausalLM(t.Qwen3Config(**SMALL, head_dim=8, tie_word_embeddings=True)),
}
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
            weight.copy_(1 + noise if "norm" in name else noise)
    return model.eval()


for name in sys.argv[1:] or MODELS:
    torch.manual_seed(1)
    model = shaken(MODELS[name]())
    folder = HERE / name
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    # Read back as others read it.
    model = t.AutoModelForCausalLM.from_pretrained(folder).eval()
    length = max(map(len, ROWS))
    ids = torch.tensor([row + [0] * (length - len(row)) for row in ROWS])
    mask = torch.tensor([[1] * len(row) + [0] * (length - len(row)) for row in ROWS])
    with torch.no_grad():
        logits = model(input_ids=ids, attention_mask=mask).logits
    scores = [[[round(x, 6) for x in place] for place in row[: len(own), ::7].tolist()] for row, own in zip(logits, ROWS)]
    (folder / "expected.json").write_text(json.dumps({"rows": ROWS, "scores": scores}) + "\n")
