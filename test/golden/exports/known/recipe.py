"""Makes exports whose answers are known: tiny models as real exporters write them, with what PyTorch says of each.

    python recipe.py                    # the committed files, beside this recipe
    python recipe.py bert-ts17 ...      # the named ones
    python recipe.py --all OUT          # every architecture through every exporter that suits it
    python recipe.py --optimum OUT      # those that optimum makes, --torch21 OUT those of an old PyTorch; in environments of their own
    python recipe.py --to OUT bert-ts17 # the named ones elsewhere

NAME.onnx is the file, NAME.json its truth; README.md says what is in it. A file that fails leaves NAME.failed.txt with the reason.
"""

import json
import logging
import sys
import time
import traceback
import warnings
from pathlib import Path

import numpy as np
import torch
import transformers

from architectures import KINDS
from exporters import EXPORTERS
from files import bare, weights_of, write
from plan import GOLDENS, elsewhere, plan
from truth import drawn, holders, numbers, samples, truth

HERE = Path(__file__).parent
warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()
logging.disable(logging.WARNING)


def fresh(kind, exporter=None):
    torch.manual_seed(1)
    model = drawn(kind.build(), exporter is not None and exporter.untrained)
    return model.half().float() if exporter and exporter.half else model


def measured(path, given, outputs):
    """The largest difference between ONNX Runtime's answers and PyTorch's, or why there is none."""
    import onnxruntime

    onnxruntime.set_default_logger_severity(4)
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        types = {one.name: one.type for one in session.get_inputs()}
        apart = []
        for inputs, expected in zip(given, outputs):
            fed = {name: fitting(inputs[name].numpy(), kind) for name, kind in types.items() if name in inputs}
            found = session.run(None, fed)[0]
            apart.append(float(np.abs(found.astype(np.float64) - expected.numpy()).max()))
        return {"difference": [float(f"{one:.2g}") for one in apart]}
    except Exception as error:  # what ONNX Runtime refuses is part of the truth
        return {"refused": str(error).splitlines()[0][:300]}


def named_as(proto, inputs, kind, model):
    """A sample under the names of the file's inputs, with what an exporter adds to them."""
    wanted = {one.name: one for one in proto.graph.input}
    others = {"decoder_input_ids": "input_ids", "attention_mask": "encoder_attention_mask"} if "encoder_attention_mask" in wanted else {}
    given = {others.get(name, name).replace("past.", "past_key_values." if any("past_key_values." in n for n in wanted) else "past."): tensor
             for name, tensor in inputs.items()}
    batch, length = next(iter(given.values())).shape[:2]
    past = next((tensor.shape[2] for name, tensor in inputs.items() if name.startswith("past.")), 0)
    layer = kind.layers_of(model)[0]
    if "position_ids" in wanted:
        row = torch.arange(past, past + length).repeat(batch, 1)
        mask = inputs["attention_mask"][:, past:]  # OPT has no position where there is padding
        given["position_ids"] = torch.where(mask == 1, row, -1) if model.config.model_type == "opt" else row
    if "use_cache_branch" in wanted:
        given["use_cache_branch"] = torch.tensor([False])
        unused = [name for name in wanted if name.startswith("past_key_values.")]
        given.update({name: torch.zeros(batch, layer.kv, 1, layer.width) for name in unused})
    return given


def fitting(array, kind):
    """An input in the type that the file asks for."""
    return array.astype({"tensor(float16)": np.float16, "tensor(int32)": np.int32, "tensor(bool)": np.bool_}.get(kind, array.dtype))


def gradients_of(proto, model, gradients):
    parameters = dict(model.named_parameters())
    held = weights_of(proto)
    return [{"torch": name, "initializers": holders(held, parameters[name]), **numbers(gradient)} for name, gradient in gradients.items()]


def make(name, folder):
    kind_name, exporter_name = name.split("-")
    kind, exporter = KINDS[kind_name], EXPORTERS[exporter_name]
    model = fresh(kind, exporter)
    given = samples(kind, model, exporter.fixed, exporter.prompt)
    proto = bare(exporter.make(kind, fresh(kind, exporter), given))
    path = folder / f"{name}.onnx"
    told, outputs, gradients = truth(kind, model, given, exporter.cuts)
    if exporter.cuts:
        told["gradients"]["weights"] = gradients_of(proto, model, gradients)
    write(proto, path, exporter.external)
    given = [named_as(proto, inputs, kind, model) for inputs in given]
    for one, inputs in zip(told["samples"], given):
        one["inputs"] = {name: numbers(tensor) for name, tensor in inputs.items()}
    checked = measured(path, given, outputs)
    if "Load model" in checked.get("refused", ""):
        path = moved(path)
    options = {**exporter.options, **({"attention": kind.attention} if kind.attention and "attention" in exporter.options else {})}
    about = {"architecture": kind_name, **options, "tolerance": exporter.tolerance, "onnxruntime": checked}
    path.with_suffix(".json").write_text(json.dumps({**about, **told}, separators=(",", ":")) + "\n")
    return checked


def moved(path):
    """A file that ONNX Runtime does not load is no valid model; it is kept apart, for what a reader says of such files."""
    apart = path.parent / "refused"
    apart.mkdir(exist_ok=True)
    for one in path.parent.glob(f"{path.name}*"):
        one.rename(apart / one.name)
    return apart / path.name


def run(names, folder):
    """Every file; one that fails does not stop the others."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        start, log = time.time(), folder / f"{name}.failed.txt"
        try:
            print(f"{name}: {make(name, folder)} ({time.time() - start:.1f} s)", flush=True)
            log.unlink(missing_ok=True)
        except Exception:
            log.write_text(traceback.format_exc(limit=-4))
            print(f"{name}: FAILED {log.read_text().splitlines()[-1][:200]}", flush=True)


def suits(name):
    """Whether this environment is the one that makes a committed file."""
    own = {"optimum": "optimum" in sys.prefix, "torch21": torch.__version__.startswith("2.1.")}
    needed = next((key for key in own if key in name.split("-")[1]), None)
    return own[needed] if needed else not any(own.values())


if __name__ == "__main__":
    arguments = sys.argv[1:]
    target = HERE
    if arguments and arguments[0].startswith("--"):
        target = Path(arguments[1])
        made = {"--all": lambda: plan(arguments[2:]), "--to": lambda: arguments[2:]}
        named = made.get(arguments[0], lambda: elsewhere(arguments[0]))()
    else:
        named = arguments or [name for name in GOLDENS if suits(name)]
    run(named, target)
