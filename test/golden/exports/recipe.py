"""Makes the golden exports: tiny models as PyTorch's two ONNX exporters write them, and the parameters they had in PyTorch.

    python recipe.py [NAME ...]      # all of them, or the named ones; needs torch, transformers, onnx, onnxscript

NAME.onnx is the file as exported, without the traces of source code that the exporter adds; NAME.json lists the torch
parameters that the file's outputs depend on: name, dimensions, and the digest of the sorted float32 values, which stays the same
when an exporter transposes or reshapes a weight. Every parameter is drawn at random, so that no two are equal. `ts` is
torch.onnx.export(dynamo=False), `dy` is dynamo=True. Made with torch 2.15, transformers 5.24, onnx 1.23, onnxscript 0.7.2.
"""

import hashlib
import io
import json
import sys
import warnings
from pathlib import Path

import onnx
import torch
import transformers as t

HERE = Path(__file__).parent
warnings.filterwarnings("ignore")
t.logging.set_verbosity_error()

TEXT = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24, "vocab_size": 40}
LONG = {**TEXT, "max_position_embeddings": 20}
SOME = {"num_labels": 3, "pad_token_id": 0}
IDS = torch.tensor([[2, 7, 9, 5, 3], [2, 8, 3, 0, 0]])
MASK = (IDS != 0).long()


def bert():
    return t.BertForSequenceClassification(t.BertConfig(**LONG, **SOME))


def bert_tokens():
    return t.BertForTokenClassification(t.BertConfig(**LONG, **SOME))


def bert_mlm():
    return t.BertForMaskedLM(t.BertConfig(**LONG, pad_token_id=0))


def distilbert():
    return t.DistilBertForSequenceClassification(
        t.DistilBertConfig(dim=16, n_layers=2, n_heads=2, hidden_dim=24, vocab_size=40, max_position_embeddings=20, **SOME)
    )


def roberta():
    return t.RobertaForSequenceClassification(t.RobertaConfig(**LONG, **SOME))


def electra():
    return t.ElectraForSequenceClassification(t.ElectraConfig(**LONG, embedding_size=8, **SOME))


def albert():
    return t.AlbertForSequenceClassification(t.AlbertConfig(**LONG, embedding_size=8, **SOME))


def mobilebert():
    sizes = {"intra_bottleneck_size": 8, "embedding_size": 8, "num_feedforward_networks": 2}
    return t.MobileBertForSequenceClassification(t.MobileBertConfig(**LONG, **sizes, **SOME))


def mpnet():
    return t.MPNetForSequenceClassification(t.MPNetConfig(**LONG, **SOME))


def deberta():
    relative = {"relative_attention": True, "pos_att_type": ["c2p", "p2c"], "norm_rel_ebd": "layer_norm", "share_att_key": True}
    return t.DebertaV2ForSequenceClassification(t.DebertaV2Config(**LONG, **relative, position_buckets=4, **SOME))


def modernbert():
    layers = {"global_attn_every_n_layers": 2, "local_attention": 4}
    return t.ModernBertForSequenceClassification(t.ModernBertConfig(**LONG, **layers, **SOME))


def gpt2():
    return t.GPT2LMHeadModel(t.GPT2Config(n_embd=16, n_layer=2, n_head=2, n_positions=20, vocab_size=40, use_cache=False))


def llama():
    return t.LlamaForCausalLM(t.LlamaConfig(**LONG, num_key_value_heads=1, use_cache=False))


def qwen3():
    return t.Qwen3ForCausalLM(t.Qwen3Config(**LONG, num_key_value_heads=1, head_dim=8, use_cache=False))


def neox():
    return t.GPTNeoXForCausalLM(t.GPTNeoXConfig(**LONG, use_cache=False))


def vit():
    return t.ViTForImageClassification(
        t.ViTConfig(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24, image_size=8, patch_size=4, num_labels=3)
    )


MODELS = {f.__name__: f for f in [bert, bert_tokens, bert_mlm, distilbert, roberta, electra, albert, mobilebert, mpnet, deberta, modernbert, gpt2, llama, qwen3, neox, vit]}
FILES = [
    *["bert-ts", "bert-dy", "bert_tokens-dy", "bert_mlm-ts", "bert_mlm-dy", "distilbert-ts", "distilbert-dy", "roberta-dy"],
    *["electra-ts", "albert-dy", "mobilebert-dy", "mpnet-dy", "deberta-ts", "deberta-dy", "modernbert-ts", "modernbert-dy"],
    *["gpt2-ts", "gpt2-dy", "llama-ts", "llama-dy", "qwen3-dy", "neox-dy", "vit-ts", "vit-dy"],
]


class Plain(torch.nn.Module):
    """The model with its inputs in a fixed order and its first output alone."""

    def __init__(self, model, names):
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *inputs):
        return self.model(**dict(zip(self.names, inputs)), return_dict=False)[0]


def drawn(model):
    """Every parameter at random, norms around 1."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(1 + 0.1 * noise if "norm" in name.lower() and name.endswith("weight") else 0.2 * noise)
    return model.eval()


def inputs_of(model):
    if "pixel" in model.main_input_name:
        images = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))
        return {"pixel_values": (images, {0: "batch"})}
    tokens = {0: "batch", 1: "sequence"}
    inputs = {"input_ids": (IDS, tokens), "attention_mask": (MASK, tokens)}
    if isinstance(model, (t.BertPreTrainedModel, t.ElectraPreTrainedModel, t.AlbertPreTrainedModel, t.MobileBertPreTrainedModel)):
        inputs["token_type_ids"] = (torch.zeros_like(IDS), tokens)
    return inputs


def exported(model, exporter):
    inputs = inputs_of(model)
    plain = Plain(model, list(inputs))
    given = tuple(tensor for tensor, _ in inputs.values())
    names = {"input_names": list(inputs), "output_names": ["logits"]}
    if exporter == "ts":
        axes = {name: axes for name, (_, axes) in inputs.items()}
        target = io.BytesIO()
        torch.onnx.export(plain, given, target, dynamo=False, opset_version=17, dynamic_axes=axes, **names)
        return onnx.load_from_string(target.getvalue())
    # The exporter turns names into symbols of its own.
    shapes = (tuple({axis: torch.export.Dim.DYNAMIC for axis in axes} for _, axes in inputs.values()),)
    program = torch.onnx.export(plain, given, dynamo=True, dynamic_shapes=shapes, verbose=False, **names)
    return program.model_proto


def bare(proto):
    """Without the traces of source code in nodes and values."""
    proto.ClearField("metadata_props")
    for part in [proto.graph, *proto.functions]:
        for piece in [part, *part.node, *part.value_info]:
            if isinstance(piece, (onnx.NodeProto, onnx.ValueInfoProto, onnx.GraphProto)):
                piece.ClearField("doc_string")
                piece.ClearField("metadata_props")
    for piece in [*proto.graph.input, *proto.graph.output, *proto.graph.initializer]:
        piece.ClearField("doc_string")
        if hasattr(piece, "metadata_props"):
            piece.ClearField("metadata_props")
    return proto


def digest(parameter):
    values = torch.sort(parameter.detach().flatten().float()).values
    return hashlib.sha256(values.numpy().tobytes()).hexdigest()[:16]


def read_parameters(model):
    """The parameters that an output depends on, each once: of tied ones the first."""
    plain = Plain(model, list(inputs_of(model)))
    plain(*[tensor for tensor, _ in inputs_of(model).values()]).sum().backward()
    return {name: p for name, p in model.named_parameters() if p.grad is not None}


def make(name):
    kind, exporter = name.split("-")
    torch.manual_seed(1)
    model = drawn(MODELS[kind]())
    model.config._attn_implementation = "eager" if exporter == "ts" else "sdpa"
    proto = bare(exported(model, exporter))
    (HERE / f"{name}.onnx").write_bytes(proto.SerializeToString(deterministic=True))
    rows = [{"name": n, "dims": list(p.shape), "digest": digest(p)} for n, p in read_parameters(model).items()]
    (HERE / f"{name}.json").write_text(json.dumps(rows, indent=0) + "\n")
    print(name, len(rows), "parameters,", (HERE / f"{name}.onnx").stat().st_size, "bytes")


if __name__ == "__main__":
    for name in sys.argv[1:] or FILES:
        make(name)
