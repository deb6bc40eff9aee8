"""The exporters and the tools that change exports. Each takes (kind, fresh model, samples, folder) and gives a ModelProto.

A name says the exporter, its opset and what is special: ts is torch.onnx.export(dynamo=False), dy is dynamo=True.
"""

import io
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import torch

from architectures import HEADS
from truth import Plain, attend, axes


@dataclass
class Exporter:
    """How a file is made, and what is said of it in its truth."""

    make: object
    options: dict = field(default_factory=dict)
    fixed: bool = False  # no dynamic axes
    external: bool = False  # weights in a file beside it
    half: bool = False  # the parameters are those that float16 can hold
    cuts: bool = True  # it can be cut and trained
    untrained: bool = False  # biases and norms as a model is born, which exporters fold into one
    prompt: bool = False  # fed prompts alone: no padding, an empty cache
    tolerance: float = 1e-5


def output_names(kind, model, inputs):
    past = [name.replace("past.", "present.") for name in inputs if name.startswith("past.")]
    return [kind.output, *past]


def torchscript(kind, model, given, opset=17, attention="eager", fixed=False, **settings):
    attend(model, kind.attention or attention)
    inputs = given[0]
    names = output_names(kind, model, inputs)
    alive = {} if fixed else {name: axes(name) for name in inputs}
    alive.update({name: axes(name.replace("present.", "past.")) for name in names[1:] if not fixed})
    target = io.BytesIO()
    if not torch.__version__.startswith("2.1."):  # it has no other
        settings["dynamo"] = False
    torch.onnx.export(Plain(model, list(inputs), kind.output), tuple(inputs.values()), target, opset_version=opset,
                      dynamic_axes=alive, input_names=list(inputs), output_names=names, **settings)
    return onnx.load_from_string(target.getvalue())


def dynamo(kind, model, given, opset=20, attention="sdpa", fixed=False, **settings):
    attend(model, kind.attention or attention)
    inputs = given[0]
    free = torch.export.Dim.DYNAMIC
    shapes = None if fixed else (tuple({axis: free for axis in axes(name)} for name in inputs),)
    program = torch.onnx.export(Plain(model, list(inputs), kind.output), tuple(inputs.values()), dynamo=True, opset_version=opset, verbose=False,
                                dynamic_shapes=shapes, input_names=list(inputs), output_names=output_names(kind, model, inputs), **settings)
    return program.model_proto


def trained(kind, model, given, **settings):
    """In training mode: dropout stays, nothing is folded."""
    model.train()
    mode = torch.onnx.TrainingMode.TRAINING
    return torchscript(kind, model, given, training=mode, do_constant_folding=False, **settings)


def with_functions(kind, model, given, **settings):
    """Modules as local functions, which PyTorch 2.1 could still write; it asks embeddings for an attribute that they lack."""
    torch.nn.Embedding.freeze = False
    return torchscript(kind, model, given, export_modules_as_functions=True, **settings)


def on_disk(change):
    """A tool that reads and writes files."""

    def run(proto, *rest):
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "in.onnx", Path(folder) / "out.onnx"
            onnx.save(proto, source)
            change(str(source), str(target), *rest)
            return onnx.load(target)

    return run


@on_disk
def fused(source, target, kind, model):
    from onnxruntime.transformers import optimizer

    options = {"model_type": kind.fused, "num_heads": HEADS, "hidden_size": 24, "opt_level": 1, "use_gpu": False}
    optimizer.optimize_model(source, **options).save_model_to_file(target)


@on_disk
def saved(source, target, level):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    options.optimized_model_filepath = target
    options.log_severity_level = 3
    onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


@on_disk
def quantized(source, target, unsigned):
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(source, target, weight_type=QuantType.QUInt8 if unsigned else QuantType.QInt8)


def nbits(proto):
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    quantizer = MatMulNBitsQuantizer(proto, block_size=16, is_symmetric=True)
    quantizer.process()
    return quantizer.model.model


def slimmed(proto):
    import onnxslim

    return onnxslim.slim(proto)


def halved(proto):
    """What it makes of a Cast to float32 is no valid file, so only some exports pass through it."""
    from onnxconverter_common import float16

    return float16.convert_float_to_float16(proto, keep_io_types=True)


def halved_by_runtime(proto):
    from onnxruntime.transformers.onnx_model import OnnxModel

    model = OnnxModel(proto)
    model.convert_float_to_float16(keep_io_types=True)
    return model.model


def half_in_torch(kind, model, given):
    """A model that is float16 in PyTorch already."""
    narrow = [{name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in inputs.items()} for inputs in given]
    return torchscript(kind, model.half(), narrow, attention="sdpa")


def dequantized(proto):
    """Matrices in 8 bits behind DequantizeLinear, as weight-only converters store them; the sums stay in float32."""
    for tensor in list(proto.graph.initializer):
        array = onnx.numpy_helper.to_array(tensor)
        if array.dtype != np.float32 or array.ndim != 2:
            continue
        scale = np.float32(np.abs(array).max() / 127)
        proto.graph.initializer.remove(tensor)
        stored = {f"{tensor.name}_quantized": np.round(array / scale).astype(np.int8), f"{tensor.name}_scale": scale, f"{tensor.name}_zero": np.int8(0)}
        proto.graph.initializer.extend(onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in stored.items())
        proto.graph.node.insert(0, onnx.helper.make_node("DequantizeLinear", list(stored), [tensor.name]))
    return proto


def as_constants(proto):
    """Weights in Constant nodes, as converters from other frameworks write them."""
    held = list(proto.graph.initializer)
    proto.graph.ClearField("initializer")
    constants = [onnx.helper.make_node("Constant", [], [tensor.name], value=tensor) for tensor in held]
    nodes = [*constants, *proto.graph.node]
    proto.graph.ClearField("node")
    proto.graph.node.extend(nodes)
    return proto


def fused_optimum(kind, model, given):
    attend(model, "eager")
    return fused(optimum(kind, model, given), kind, model)


def after(change, base=torchscript, **settings):
    return lambda kind, model, given: change(base(kind, model, given, **settings))


def ts(opset, attention="eager", make=torchscript, note=None, **settings):
    told = {"exporter": "torch.onnx.export dynamo=False", "opset": opset, "attention": attention, **(note or {})}
    flags = {key: settings.pop(key) for key in ("external", "untrained") if key in settings}
    flags["fixed"] = settings.get("fixed", False)
    return Exporter(lambda *given: make(*given, opset=opset, attention=attention, **settings), told, **flags)


def dy(opset, attention="sdpa", note=None, external=False, untrained=False, **settings):
    told = {"exporter": "torch.onnx.export dynamo=True", "opset": opset, "attention": attention, **(note or {})}
    return Exporter(lambda *given: dynamo(*given, opset=opset, attention=attention, **settings), told,
                    fixed=settings.get("fixed", False), external=external, untrained=untrained)


def changed(tool, make, opset=17, **flags):
    return Exporter(make, {"exporter": tool, "opset": opset, **flags.pop("note", {})}, **flags)


def fuse_with(attention, half=False):
    def make(kind, model, given):
        proto = fused(torchscript(kind, model, given, attention=attention), kind, model)
        return halved_by_runtime(proto) if half else proto

    return make


def optimum(kind, model, given, file="model.onnx"):
    """As optimum exports the saved model: its own names of inputs, positions among them; a merged decoder is one If."""
    from optimum.exporters.onnx import onnx_export_from_model

    with tempfile.TemporaryDirectory() as folder:
        onnx_export_from_model(model, Path(folder), task=kind.task, do_validation=False, preprocessors=[], opset=17)
        found = sorted(path.name for path in Path(folder).glob("*.onnx"))
        return onnx.load(Path(folder) / next(name for name in ("decoder_model_merged.onnx", file) if name in found))


def words(folder):
    """A tokenizer, which a builder copies and never asks."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    known = {f"w{i}": i for i in range(67)}
    PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel(known, unk_token="w0")), unk_token="w0").save_pretrained(folder)


def genai(kind, model, given, precision="fp32"):
    """As onnxruntime-genai builds a decoder from the saved model: grouped-query attention in one operator, positions inside."""
    from onnxruntime_genai.models.builder import create_model, parse_extra_options

    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in", Path(folder) / "out"
        model.save_pretrained(source)
        words(source)
        where = ("", str(source), str(target), precision, "cpu", str(Path(folder) / "cache"))
        create_model(*where, **parse_extra_options(*where, []))
        return onnx.load(target / "model.onnx")


LOOSE = {"cuts": False, "tolerance": 0.5}
HALF = {"half": True, "tolerance": 5e-2}
EXPORTERS = {
    "ts11": ts(11),
    "ts13": ts(13),
    "ts14": ts(14, "sdpa"),
    "ts17": ts(17),
    "ts17sdpa": ts(17, "sdpa"),
    "ts20": ts(20, "sdpa"),
    "ts17train": ts(17, make=trained, note={"training": True, "folded": False}),
    "ts14nofold": ts(14, note={"folded": False}, do_constant_folding=False),
    "ts13inputs": ts(13, note={"weights": "also inputs"}, keep_initializers_as_inputs=True),
    "ts17fixed": ts(17, note={"axes": "fixed"}, fixed=True),
    "ts17external": ts(17, "sdpa", note={"weights": "external"}, external=True),
    "ts17born": ts(17, note={"untrained": True}, untrained=True),
    "dy20born": dy(20, note={"untrained": True}, untrained=True),
    "dy18": dy(18),
    "dy20": dy(20),
    "dy20eager": dy(20, "eager"),
    "dy20fixed": dy(20, note={"axes": "fixed"}, fixed=True),
    "dy20external": dy(20, note={"weights": "external"}, external=True),
    "dy20raw": dy(20, "eager", note={"optimized": False}, optimize=False),
    "dy23": dy(23),
    "dy24": dy(24),
    "ortfused": changed("onnxruntime.transformers.optimizer", fuse_with("eager"), note={"attention": "eager"}),
    "ortfusedsdpa": changed("onnxruntime.transformers.optimizer", fuse_with("sdpa"), note={"attention": "sdpa"}),
    "ortfused16": changed("onnxruntime.transformers.optimizer", fuse_with("eager", True), note={"float16": True}, **HALF),
    "ortsaved": changed("onnxruntime ORT_ENABLE_EXTENDED", after(lambda p: saved(p, "ORT_ENABLE_EXTENDED"))),
    "ortbasic": changed("onnxruntime ORT_ENABLE_BASIC", after(lambda p: saved(p, "ORT_ENABLE_BASIC"), base=dynamo), 20),
    "slim": changed("onnxslim", after(slimmed)),
    "slimdy": changed("onnxslim", after(slimmed, base=dynamo), 20),
    "half": changed("onnxconverter_common.float16", after(halved), note={"float16": True, "inputs": "float32"}, **HALF),
    "ort16": changed("onnxruntime.transformers float16", after(halved_by_runtime), note={"float16": True, "inputs": "float32"}, **HALF),
    "torch16": changed("torch.onnx.export dynamo=False", half_in_torch, note={"float16": True, "attention": "sdpa"}, **HALF),
    "optimum": changed("optimum", optimum),
    "optfused": changed("optimum, onnxruntime.transformers.optimizer", fused_optimum, note={"attention": "eager"}),
    "constants": changed("weights in Constant nodes", after(as_constants), note={"weights": "Constant nodes"}),
    "torch21": ts(14, note={"torch": "2.1"}),
    "torch21fused": changed("onnxruntime.transformers.optimizer", fuse_with("eager"), note={"torch": "2.1"}),
    "torch21functions": ts(15, make=with_functions, note={"torch": "2.1", "local functions": True}),
    "genai": changed("onnxruntime-genai builder", genai, 21, prompt=True),
    "genai4": changed("onnxruntime-genai builder", lambda *given: genai(*given, precision="int4"), 21, prompt=True, note={"bits": 4}, cuts=False, tolerance=3.0),
    "int8": changed("onnxruntime.quantization dynamic", after(lambda p: quantized(p, False)), **LOOSE),
    "uint8": changed("onnxruntime.quantization dynamic", after(lambda p: quantized(p, True), attention="sdpa"), **LOOSE),
    "nbits": changed("onnxruntime.quantization MatMulNBits", after(nbits), cuts=False, tolerance=3.0),
    "stored8": changed("weights stored in 8 bits", after(dequantized), note={"weights": "DequantizeLinear"}, **LOOSE),
}
