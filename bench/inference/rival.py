"""What ONNX Runtime's own Python tools make of a float model: its transformer optimizer, then its dynamic quantizer.

    rival.py MODEL FOLDER HEADS HIDDEN

writes files into FOLDER and prints one line of JSON a file: its path, whether it is int8, and how it was made. Heads and
hidden may be 0: the optimizer then reads them from each layer's reshapes, as models whose layers differ need it.
"""

import json
import logging
import os
import sys

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when the runtime is loaded

import onnx
import onnxruntime as ort
from onnx import helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers.optimizer import optimize_model


def tell(file, int8, recipe):
    print(json.dumps({"file": file, "int8": int8, "recipe": recipe}), flush=True)


def as_pytorch_writes_masks(source, target):
    """The same model with the mask's two new axes inserted one by one: the form the optimizer's fusions look for."""
    model = onnx.load(source)
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes = []
    for node in model.graph.node:
        axes = weights.get(node.input[1]) if node.op_type == "Unsqueeze" else None
        if axes is None or numpy_helper.to_array(axes).tolist() != [1, 2]:
            nodes.append(node)
            continue
        for i, axis in enumerate((1, 2)):
            model.graph.initializer.append(helper.make_tensor(f"{node.name}.axis{axis}", 7, [1], [axis]))
            inner, output = f"{node.output[0]}.inner", node.output[0]
            ends = ([node.input[0], f"{node.name}.axis1"], [inner]) if i == 0 else ([inner, f"{node.name}.axis2"], [output])
            nodes.append(helper.make_node("Unsqueeze", *ends))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, target)


def optimize_at_load(source, target, level):
    """Saves the graph as a session rewrites it: the optimizer's opt_level, without its need of PyTorch."""
    options = ort.SessionOptions()
    options.graph_optimization_level = level
    options.optimized_model_filepath = target
    options.log_severity_level = 3
    ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def floats(source, path, heads, hidden):
    """Float files by name, with their recipes."""
    as_pytorch_writes_masks(source, path("written"))
    optimize_at_load(path("written"), path("basic"), ort.GraphOptimizationLevel.ORT_ENABLE_BASIC)
    fused = optimize_model(path("basic"), model_type="bert", num_heads=heads, hidden_size=hidden, opt_level=0)
    fused.save_model_to_file(path("fused"))
    # Its own fusions first would hide the patterns; afterwards they add what is left.
    optimize_at_load(path("fused"), path("extended"), ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED)
    return {
        "basic": "basic level",
        "fused": "transformers.optimizer",
        "extended": "transformers.optimizer, extended level",
    }


def main(source, folder, heads, hidden):
    logging.disable(logging.WARNING)
    path = lambda name: os.path.join(folder, f"{name}.onnx")
    # The float model as it is, which a session at level all optimizes by itself.
    tell(source, False, "level all")
    recipes = floats(source, path, heads, hidden)
    for name in ("fused", "extended"):
        tell(path(name), False, recipes[name])
    for name, recipe in recipes.items():
        for kind, options in {
            "default": {},
            "per channel": {"per_channel": True, "weight_type": QuantType.QInt8},
        }.items():
            target = path(f"{name}-int8-{kind.replace(' ', '-')}")
            quantize_dynamic(path(name), target, **options)
            tell(target, True, f"{recipe}, quantize_dynamic {kind}")


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
