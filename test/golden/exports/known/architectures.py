"""The tiny models: how each is built, what it is fed, and where its heads and neurons are.

Sizes are all different, so that no axis is taken for another: 24 hidden (4 heads of 6; 2 key and value heads where they are
grouped), 35 neurons, 67 tokens, 53 positions, 9 labels, batches of 3 and 5, lengths of 7 and 11 (a decoder's beside an encoder: 5 and 13).
"""

from dataclasses import dataclass, field
from functools import reduce

import torch
import transformers as t

HIDDEN, HEADS, WIDTH, KV, FFN, VOCABULARY, POSITIONS, LABELS = 24, 4, 6, 2, 35, 67, 53, 9
TEXT = {"hidden_size": HIDDEN, "num_hidden_layers": 2, "num_attention_heads": HEADS, "intermediate_size": FFN, "vocab_size": VOCABULARY}
LONG = {**TEXT, "max_position_embeddings": POSITIONS}
NO_CACHE = {"use_cache": False}
IDS = {"bos_token_id": 1, "eos_token_id": 2}
GROUPED = {**LONG, "num_key_value_heads": KV, "pad_token_id": 0, **IDS, **NO_CACHE}
SHAPES = [(3, 7, 5), (5, 11, 13)]  # batch, length, length of a decoder


@dataclass
class Layer:
    """A block: the module to leave out, and the projections whose inputs are its heads and its neurons."""

    module: torch.nn.Module
    heads: torch.nn.Module
    ffn: list
    count: int = HEADS
    kv: int = HEADS
    width: int = WIDTH
    gated: bool = False
    cross: torch.nn.Module | None = None

    def anatomy(self):
        wide = [width_in(down) for down in self.ffn]
        one = {"heads": self.count, "kvHeads": self.kv, "headWidth": self.width, "ffn": wide if len(wide) > 1 else wide[0], "gated": self.gated}
        return {**one, "crossHeads": self.count} if self.cross is not None else one


def width_in(projection):
    return projection.in_features if hasattr(projection, "in_features") else projection.weight.shape[0]


@dataclass
class Kind:
    """An architecture with a head: `at` are the paths of a layer's pieces below the base model."""

    build: object
    inputs: str = "ids mask"
    output: str = "logits"
    layers: str = "encoder.layer"
    at: dict = field(default_factory=lambda: {"heads": "attention.output.dense", "ffn": ["output.dense"]})
    more: dict = field(default_factory=dict)
    base: object = None  # the module that the paths start at
    pad: int = 0
    fused: str = "bert"  # what ONNX Runtime's optimizer calls it
    shared: bool = False  # the layers are one module
    drop: int = 0
    vocabulary: int | None = VOCABULARY
    task: str | None = None  # optimum's name of its task
    attention: str | None = None  # the only implementation that can be exported

    def layers_of(self, model):
        if callable(self.layers):
            return self.layers(model)
        root = self.base(model) if self.base else model.base_model
        modules = list(attribute(root, self.layers))
        return [layer_at(module, self.at, self.more) for module in modules]


def attribute(root, path):
    """What is at a path; of alternatives (versions of transformers name pieces differently) the first that is there."""
    for one in path.split("|"):
        try:
            return at_path(root, one)
        except AttributeError:
            pass
    raise AttributeError(f"{type(root).__name__} has no {path}")


def at_path(root, path):
    return reduce(lambda at, name: at[int(name)] if name.lstrip("-").isdigit() else getattr(at, name), path.split("."), root)


def layer_at(module, at, more):
    cross = attribute(module, at["cross"]) if "cross" in at else None
    return Layer(module, attribute(module, at["heads"]), [attribute(module, path) for path in at["ffn"]], cross=cross, **more)




BERT_PAD = {"pad_token_id": 0}
HEAD = {"num_labels": LABELS}
ALBERT_AT = {"heads": "attention.dense", "ffn": ["ffn_output"]}
LLAMA_AT = {"heads": "self_attn.o_proj", "ffn": ["mlp.down_proj"]}
LLAMA = {"layers": "layers", "at": LLAMA_AT, "more": {"kv": KV, "gated": True}, "fused": "gpt2", "task": "text-generation"}
BART_AT = {"heads": "self_attn.out_proj", "ffn": ["fc2"]}
DECODER_AT = {**BART_AT, "cross": "encoder_attn.out_proj"}


def albert_layers(model):
    layer = model.base_model.encoder.albert_layer_groups[0].albert_layers[0]
    return [layer_at(layer, ALBERT_AT, {}) for _ in range(2)]


def mobilebert_layers(model):
    """Its small FFNs run before the one that the layer ends with."""
    at = {"heads": "attention.output.dense", "ffn": ["ffn.0.output.dense", "output.dense"]}
    return [layer_at(layer, at, {"width": 4}) for layer in model.base_model.encoder.layer]


def t5_blocks(stack, cross, gated):
    ffn = f"layer.{2 if cross else 1}.DenseReluDense.wo"
    at = {"heads": "layer.0.SelfAttention.o", "ffn": [ffn], **({"cross": "layer.1.EncDecAttention.o"} if cross else {})}
    return [layer_at(block, at, {"gated": gated}) for block in stack.block]


def t5_layers(model):
    gated = model.config.is_gated_act
    decoder = t5_blocks(model.decoder, True, gated) if hasattr(model, "decoder") else []
    return t5_blocks(model.encoder, False, gated) + decoder


def bart_layers(model):
    inner = model.model if hasattr(model, "lm_head") else model
    return [layer_at(m, BART_AT, {}) for m in inner.encoder.layers] + [layer_at(m, DECODER_AT, {}) for m in inner.decoder.layers]


def swin_layers(model):
    blocks = [block for stage in model.base_model.encoder.layers for block in stage.blocks]
    counts = [attribute(block, "attention.num_attention_heads|attention.self.num_attention_heads") for block in blocks]
    return [layer_at(block, PIECES, {"count": n, "kv": n}) for block, n in zip(blocks, counts)]


def t5_config(gated=False):
    kind = "gated-gelu" if gated else "relu"
    sizes = {"d_model": HIDDEN, "d_kv": WIDTH, "d_ff": FFN, "num_layers": 2, "num_heads": HEADS, "vocab_size": VOCABULARY}
    return t.T5Config(**sizes, relative_attention_num_buckets=8, relative_attention_max_distance=16, feed_forward_proj=kind,
                      pad_token_id=0, decoder_start_token_id=0, eos_token_id=1, use_cache=False)


def bart_sizes():
    both = {f"{part}_{key}": value for part in ("encoder", "decoder") for key, value in (("layers", 2), ("attention_heads", HEADS), ("ffn_dim", FFN))}
    return {"d_model": HIDDEN, "vocab_size": VOCABULARY, "max_position_embeddings": POSITIONS, **both, "pad_token_id": 0,
            "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2, "forced_eos_token_id": None, **NO_CACHE}


def vision(patch=4, image=16):
    sizes = {key: value for key, value in TEXT.items() if key != "vocab_size"}
    return {**sizes, "image_size": image, "patch_size": patch, **HEAD}


def deberta_config():
    relative = {"relative_attention": True, "pos_att_type": ["c2p", "p2c"], "norm_rel_ebd": "layer_norm", "share_att_key": True}
    return t.DebertaV2Config(**LONG, **relative, position_buckets=8, **BERT_PAD, **HEAD)


def modernbert_config():
    return t.ModernBertConfig(**LONG, global_attn_every_n_layers=2, local_attention=8, **BERT_PAD, bos_token_id=1, eos_token_id=2,
                              cls_token_id=1, sep_token_id=2, reference_compile=False, **HEAD)


def clip_config():
    return t.CLIPTextConfig(**LONG, projection_dim=17, hidden_act="quick_gelu", **IDS, pad_token_id=1)


def whisper_encoder():
    sizes = {key: value for key, value in bart_sizes().items() if key not in ("max_position_embeddings", "forced_eos_token_id")}
    whisper = t.WhisperConfig(**sizes, num_mel_bins=10, max_source_positions=13, max_target_positions=17)
    return t.models.whisper.modeling_whisper.WhisperEncoder(whisper)


def itself(model):
    return model


MODERN = {"layers": "layers", "at": {"heads": "attn.Wo", "ffn": ["mlp.Wo"]}, "more": {"gated": True}}
PIECES = {"heads": "attention.o_proj|attention.output.dense", "ffn": ["mlp.fc2|output.dense"]}
VIT_AT = {"layers": "layers|encoder.layer", "at": PIECES, "inputs": "pixels", "vocabulary": None, "fused": "vit", "task": "image-classification"}
DISTIL = {"layers": "transformer.layer", "at": {"heads": "attention.out_lin", "ffn": ["ffn.lin2"]}}
CLASSES, TAGS, FEATURES = "text-classification", "token-classification", "feature-extraction"
OPT = {"layers": "decoder.layers", "at": BART_AT, "fused": "gpt2", "task": "text-generation"}
WHOLE = {"inputs": "ids mask decoder", "layers": bart_layers, "fused": "bart", "task": "text2text-generation"}
T5 = {"layers": t5_layers, "fused": "t5", "drop": 1, "attention": "eager"}
GPT2 = {"layers": "h", "at": {"heads": "attn.c_proj", "ffn": ["mlp.c_proj"]}, "fused": "gpt2", "task": "text-generation"}
NEOX = {"layers": "layers", "at": {"heads": "attention.dense", "ffn": ["mlp.dense_4h_to_h"]}, "fused": "gpt2", "task": FEATURES}


def gpt2_config(cache):
    return t.GPT2Config(n_embd=HIDDEN, n_layer=2, n_head=HEADS, n_inner=FFN, n_positions=POSITIONS, vocab_size=VOCABULARY, use_cache=cache, **IDS)


KINDS = {
    "bert": Kind(lambda: t.BertForSequenceClassification(t.BertConfig(**LONG, **HEAD, **BERT_PAD)), "ids mask types", task=CLASSES),
    "bert_base": Kind(lambda: t.BertModel(t.BertConfig(**LONG, **BERT_PAD)), "ids mask types", "last_hidden_state", task=FEATURES),
    "bert_mlm": Kind(lambda: t.BertForMaskedLM(t.BertConfig(**LONG, **BERT_PAD)), "ids mask types", task="fill-mask"),
    "distilbert": Kind(lambda: t.DistilBertForSequenceClassification(t.DistilBertConfig(
        dim=HIDDEN, n_layers=2, n_heads=HEADS, hidden_dim=FFN, vocab_size=VOCABULARY, max_position_embeddings=POSITIONS, **HEAD)), **DISTIL, task=CLASSES),
    "roberta": Kind(lambda: t.RobertaForTokenClassification(t.RobertaConfig(**LONG, **HEAD, pad_token_id=1, bos_token_id=0)), pad=1, task=TAGS),
    "electra": Kind(lambda: t.ElectraForSequenceClassification(t.ElectraConfig(**LONG, embedding_size=14, **HEAD, **BERT_PAD)), "ids mask types", task=CLASSES),
    "albert": Kind(lambda: t.AlbertForSequenceClassification(t.AlbertConfig(**LONG, embedding_size=14, **HEAD, **BERT_PAD)), "ids mask types",
                   layers=albert_layers, shared=True, task=CLASSES),
    "mpnet": Kind(lambda: t.MPNetModel(t.MPNetConfig(**LONG, pad_token_id=1)), output="last_hidden_state",
                  at={"heads": "attention.attn.o", "ffn": ["output.dense"]}, pad=1, task=FEATURES, attention="eager"),
    "mobilebert": Kind(lambda: t.MobileBertForSequenceClassification(t.MobileBertConfig(
        **LONG, **HEAD, **BERT_PAD, intra_bottleneck_size=16, embedding_size=14, num_feedforward_networks=2)), "ids mask types", layers=mobilebert_layers, task=CLASSES),
    "deberta": Kind(lambda: t.DebertaV2ForSequenceClassification(deberta_config()), task=CLASSES),
    "modernbert": Kind(lambda: t.ModernBertForSequenceClassification(modernbert_config()), **MODERN, task=CLASSES),
    "modernbert_mlm": Kind(lambda: t.ModernBertForMaskedLM(modernbert_config()), **MODERN, task="fill-mask"),
    "clip_text": Kind(lambda: t.CLIPTextModel(clip_config()), output="last_hidden_state", layers="encoder.layers", at={**BART_AT, "ffn": ["mlp.fc2"]}, pad=1, fused="clip",
                      base=lambda model: getattr(model, "text_model", model)),
    "gpt2": Kind(lambda: t.GPT2LMHeadModel(gpt2_config(False)), **GPT2),
    "gpt2_cached": Kind(lambda: t.GPT2LMHeadModel(gpt2_config(True)), "ids mask past", **{**GPT2, "task": "text-generation-with-past"}),
    "llama": Kind(lambda: t.LlamaForCausalLM(t.LlamaConfig(**GROUPED)), **LLAMA),
    "llama_cached": Kind(lambda: t.LlamaForCausalLM(t.LlamaConfig(**{**GROUPED, "use_cache": True})), "ids mask past", **{**LLAMA, "task": "text-generation-with-past"}),
    "mistral": Kind(lambda: t.MistralModel(t.MistralConfig(**GROUPED, sliding_window=6)), output="last_hidden_state", **{**LLAMA, "task": FEATURES}),
    "qwen2": Kind(lambda: t.Qwen2ForCausalLM(t.Qwen2Config(**GROUPED)), **LLAMA),
    "qwen3": Kind(lambda: t.Qwen3ForCausalLM(t.Qwen3Config(**GROUPED, head_dim=8, tie_word_embeddings=True)), **{**LLAMA, "more": {"kv": KV, "gated": True, "width": 8}}),
    "qwen3_cached": Kind(lambda: t.Qwen3ForCausalLM(t.Qwen3Config(**{**GROUPED, "use_cache": True}, head_dim=16)), "ids mask past",
                         **{**LLAMA, "more": {"kv": KV, "gated": True, "width": 16}, "task": "text-generation-with-past"}),
    "llama_wide": Kind(lambda: t.LlamaForCausalLM(t.LlamaConfig(**{**GROUPED, "use_cache": True}, head_dim=16)), "ids mask past",
                       **{**LLAMA, "more": {"kv": KV, "gated": True, "width": 16}, "task": "text-generation-with-past"}),
    "gemma": Kind(lambda: t.GemmaForCausalLM(t.GemmaConfig(**{**GROUPED, "num_key_value_heads": 1}, head_dim=10)),
                  **{**LLAMA, "more": {"kv": 1, "gated": True, "width": 10}}),
    "neox": Kind(lambda: t.GPTNeoXModel(t.GPTNeoXConfig(**LONG, rotary_pct=0.67, **IDS, **NO_CACHE)), output="last_hidden_state", **NEOX),
    "opt": Kind(lambda: t.OPTForCausalLM(t.OPTConfig(
        hidden_size=HIDDEN, num_hidden_layers=2, num_attention_heads=HEADS, ffn_dim=FFN, vocab_size=VOCABULARY, max_position_embeddings=POSITIONS,
        word_embed_proj_dim=HIDDEN, pad_token_id=0, **IDS, **NO_CACHE)), **OPT),
    "t5_encoder": Kind(lambda: t.T5EncoderModel(t5_config()), output="last_hidden_state", **T5),
    "t5_decoder": Kind(lambda: t.T5ForConditionalGeneration(t5_config(True)), "decoder states mask", **{**T5, "drop": 1, "layers": lambda m: t5_blocks(m.decoder, True, True), "task": "text2text-generation-with-past"}),
    "t5": Kind(lambda: t.T5ForConditionalGeneration(t5_config()), "ids mask decoder", **T5, task="text2text-generation"),
    "bart": Kind(lambda: t.BartForConditionalGeneration(t.BartConfig(**bart_sizes())), **WHOLE),
    "bart_decoder": Kind(lambda: t.BartForConditionalGeneration(t.BartConfig(**bart_sizes())),
                         **{**WHOLE, "inputs": "decoder states mask", "layers": lambda m: bart_layers(m)[2:], "task": "text2text-generation-with-past"}),
    "marian": Kind(lambda: t.MarianMTModel(t.MarianConfig(**bart_sizes())), **WHOLE),
    "whisper_encoder": Kind(whisper_encoder, "features", "last_hidden_state", layers="layers", at=BART_AT, base=itself, vocabulary=None, fused="bart"),
    "vit": Kind(lambda: t.ViTForImageClassification(t.ViTConfig(**vision())), **VIT_AT),
    "deit": Kind(lambda: t.DeiTForImageClassificationWithTeacher(t.DeiTConfig(**vision())), **{**VIT_AT, "task": None}),
    "swin": Kind(lambda: t.SwinForImageClassification(t.SwinConfig(
        image_size=16, patch_size=2, embed_dim=12, depths=[2, 2], num_heads=[2, 4], window_size=4, mlp_ratio=1.5, **HEAD)),
        **{**VIT_AT, "layers": swin_layers, "fused": "swin", "attention": "eager"}),
}
