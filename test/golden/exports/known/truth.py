"""What PyTorch says of a model: outputs at two shapes, outputs without named units, gradients. All of it is computed in float64."""

import base64
import copy
from contextlib import ExitStack, contextmanager

import numpy as np
import torch

from architectures import FFN, HIDDEN, SHAPES, VOCABULARY, width_in as width

PAST = 5  # positions that a cache holds already


class Plain(torch.nn.Module):
    """The model with its inputs in a fixed order and one output; a cache is flat inputs and outputs, as exporters want it."""

    def __init__(self, model, names, output):
        super().__init__()
        self.model, self.names, self.output = model, names, output

    def forward(self, *inputs):
        given = dict(zip(self.names, inputs))
        past = {name: given.pop(name) for name in self.names if name.startswith("past.")}
        if past:
            given["past_key_values"] = cache_of(past, self.model.config)
        if "encoder_hidden_states" in given:
            given["encoder_outputs"] = (given.pop("encoder_hidden_states"),)
        answer = self.model(**given, return_dict=True)
        return (answer[self.output], *flat_cache(answer.past_key_values)) if past else answer[self.output]


def cache_of(past, config):
    from transformers import DynamicCache

    cache = DynamicCache()
    for layer in range(config.num_hidden_layers):
        cache.update(past[f"past.{layer}.key"], past[f"past.{layer}.value"], layer)
    return cache


def flat_cache(cache):
    return [tensor for layer in cache.layers for tensor in (layer.keys, layer.values)]


def is_norm(name):
    return "norm" in name.lower() or ".ln_" in name


def drawn(model, untrained=False):
    """Every parameter at random, norms around 1, so that no two are equal; ties stay. Untrained, biases and norms are all alike."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if untrained and parameter.ndim == 1:
                continue
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(1 + 0.1 * noise if is_norm(name) and name.endswith("weight") else 0.2 * noise)
    for module in model.modules():
        if isinstance(module, torch.nn.Embedding):
            module.padding_idx = None  # ONNX knows no row without a gradient
    return model.eval()


def samples(kind, model, fixed=False, prompt=False):
    """Two samples: names to tensors, with padding in every mask. A file of fixed shapes gets the first shape twice."""
    shapes = [SHAPES[0]] * 2 if fixed else SHAPES
    return [sample(kind, model, shape, seed, 0 if prompt else PAST + seed * (not fixed), prompt) for seed, shape in enumerate(shapes)]


def sample(kind, model, shape, seed, held, prompt):
    batch, length, other = shape
    generator = torch.Generator().manual_seed(seed + 11)
    ids = torch.randint(3, VOCABULARY, (batch, length), generator=generator)
    lengths = torch.tensor([length - (row + seed) % 3 * (not prompt) for row in range(batch)])
    mask = (torch.arange(length)[None] < lengths[:, None]).long()
    made = {
        "ids": lambda: {"input_ids": torch.where(mask == 1, ids, kind.pad)},
        "mask": lambda: {"attention_mask": mask},
        "types": lambda: {"token_type_ids": (torch.arange(length)[None] >= length // 2).long().repeat(batch, 1)},
        "decoder": lambda: {"decoder_input_ids": torch.randint(3, VOCABULARY, (batch, other), generator=generator)},
        "states": lambda: {"encoder_hidden_states": torch.randn(batch, length, HIDDEN, generator=generator)},
        "features": lambda: {"input_features": torch.randn(batch, 10, 26, generator=generator)},
        "pixels": lambda: {"pixel_values": torch.randn(batch, 3, model.config.image_size, model.config.image_size, generator=generator)},
        "past": lambda: past_of(kind, model, batch, held, generator),
    }
    inputs = {name: tensor for part in kind.inputs.split() for name, tensor in made[part]().items()}
    if "past" in kind.inputs:
        inputs["attention_mask"] = torch.cat([torch.ones(batch, held, dtype=torch.long), mask], 1)
    return inputs


def past_of(kind, model, batch, length, generator):
    layer = kind.layers_of(model)[0]
    dims = (batch, layer.kv, length, layer.width)
    return {f"past.{i}.{part}": torch.randn(dims, generator=generator) for i in range(2) for part in ("key", "value")}


def axes(name):
    """What is dynamic about an input."""
    if name.startswith("past."):
        return {0: "batch", 2: "past"}
    known = {"pixel_values": {0: "batch"}, "input_features": {0: "batch"}, "decoder_input_ids": {0: "batch", 1: "decoder_sequence"}}
    return known.get(name, {0: "batch", 1: "sequence"})


def exact(model):
    double = copy.deepcopy(model).double().eval()
    attend(double, "eager")
    return double


def attend(model, attention):
    """Older versions of transformers have one attention, or ask the configuration alone."""
    if hasattr(model, "set_attn_implementation"):
        model.set_attn_implementation(attention)
    else:
        model.config._attn_implementation = attention


def answer(kind, model, inputs):
    given = [tensor.double() if tensor.is_floating_point() else tensor for tensor in inputs.values()]
    out = Plain(model, list(inputs), kind.output)(*given)
    return out[0] if isinstance(out, tuple) else out


@contextmanager
def without(kind, model, removed):
    """The model while its named units are masked: slices of a projection's input at zero, a layer's output its input."""
    layers = kind.layers_of(model)
    with ExitStack() as stack:
        if kind.shared and removed["layers"]:
            stack.enter_context(skipping(layers[0].module, removed["layers"]))
        for index, layer in enumerate(layers):
            units = {key: removed[key].get(str(index), []) for key in ("heads", "crossHeads", "ffn")}
            if kind.shared and index > 0:
                continue
            heads = [h * layer.width + i for h in units["heads"] for i in range(layer.width)]
            zero(stack, layer.heads, heads)
            if layer.cross is not None:
                zero(stack, layer.cross, [h * layer.width + i for h in units["crossHeads"] for i in range(layer.width)])
            start = 0
            for down, wide in zip(layer.ffn, [width(d) for d in layer.ffn]):
                zero(stack, down, [n - start for n in units["ffn"] if start <= n < start + wide])
                start += wide
            if index in removed["layers"] and not kind.shared:
                stack.enter_context(skipping(layer.module, [0]))
        yield



def zero(stack, projection, columns):
    if not columns:
        return
    keep = torch.ones(width(projection), dtype=torch.float64)
    keep[columns] = 0
    handle = projection.register_forward_pre_hook(lambda module, args: (args[0] * keep, *args[1:]))
    stack.callback(handle.remove)


@contextmanager
def skipping(module, calls):
    """The module gives back what it was given, at the calls of these numbers."""
    count = [-1]

    def hook(_, args, kwargs, out):
        count[0] += 1
        if count[0] not in calls:
            return out
        hidden = args[0] if args else kwargs["hidden_states"]
        return (hidden, *out[1:]) if isinstance(out, tuple) else hidden

    handle = module.register_forward_hook(hook, with_kwargs=True)
    yield
    handle.remove()


def removals(kind, layers):
    """What the file is cut by: heads and neurons of a layer, then a whole layer; of grouped queries a group, and one head of each group."""
    nothing = {"heads": {}, "crossHeads": {}, "ffn": {}, "layers": []}
    if kind.shared:
        units = [{**nothing, "heads": {"0": [1], "1": [1]}}, {**nothing, "ffn": {"0": [0, 5], "1": [0, 5]}}]
        return [*units, {**nothing, "layers": [1]}]
    group = layers[0].count // layers[0].kv
    ffn = {"1": [0, 5]} if len(layers[1].ffn) == 1 else {"1": [0, 5, FFN + 2]}
    cases = [{**nothing, "heads": {"0": list(range(group)) if 1 < group < layers[0].count else [1]}, "ffn": ffn}]
    if 1 < group < layers[0].count:
        cases.append({**nothing, "heads": {"0": [1, 2]}})
    crossed = [str(index) for index, layer in enumerate(layers) if layer.cross is not None]
    if crossed:
        cases.append({**nothing, "heads": {crossed[-1]: [2]}, "crossHeads": {crossed[0]: [0, 3]}})
    return [*cases, {**nothing, "layers": [kind.drop]}]


def anatomy(kind, model):
    hidden = model.config.hidden_size if kind.vocabulary is None else HIDDEN
    return {"layers": [layer.anatomy() for layer in kind.layers_of(model)], "hidden": hidden, "vocabulary": kind.vocabulary}


def masked(kind, model, removed, inputs):
    with torch.no_grad(), without(kind, model, removed):
        return answer(kind, model, inputs)


def differentiated(kind, model, inputs):
    """Gradients of L = sum(output x cotangent) by the names of torch's parameters."""
    model.zero_grad(set_to_none=True)
    out = answer(kind, model, inputs)
    cotangent = torch.randn(out.shape, generator=torch.Generator().manual_seed(29)).double()
    (out * cotangent).sum().backward()
    parameters = dict(model.named_parameters())
    return cotangent, {name: parameters[name].grad for name in chosen(kind, model) if parameters[name].grad is not None}


def chosen(kind, model):
    """A table (or a patch's convolution), a matrix and a bias of the first layer's attention, the last FFN's matrix, a norm."""
    names = {parameter: name for name, parameter in model.named_parameters()}
    layers = kind.layers_of(model)
    inside = [names[p] for p in layers[0].module.parameters()]
    tables = [n for n, p in model.named_parameters() if ("embed" in n or "wte" in n or "shared" in n or "conv1" in n) and p.ndim > 1 and len(p) > 1]
    norms = [n for n in inside if is_norm(n) and n.endswith("weight")]
    matrices = [n for n in inside if n.endswith("weight") and not is_norm(n)]
    biases = [n for n in inside if n.endswith("bias") and not is_norm(n)]
    picked = [*tables[:1], *matrices[:1], *biases[:1], names[layers[-1].ffn[-1].weight], *norms[:1]]
    alike = [p for p in layers[0].module.parameters() if p.ndim == 1 and p.unique().numel() == 1]
    return [name for name in dict.fromkeys(picked) if not alike or dict(model.named_parameters())[name].ndim > 1]


def numbers(tensor):
    """Dimensions and values: integers as they are, floats as base64 of float32."""
    dims = list(tensor.shape)
    if tensor.dtype == torch.bool:
        return {"dims": dims, "bool": tensor.flatten().tolist()}
    if not tensor.is_floating_point():
        return {"dims": dims, "int64": tensor.flatten().tolist()}
    return {"dims": dims, "float32": base64.b64encode(tensor.detach().float().contiguous().numpy().tobytes()).decode()}


def holders(proto_weights, parameter):
    """The weights of the file that hold a parameter, by value: as it is, transposed, in other dimensions, or one more (Gemma's norms)."""
    value = parameter.detach().float().numpy()
    found = []
    for name, array in proto_weights.items():
        if array.size != value.size or array.dtype not in (np.float32, np.float16):
            continue
        like = value.astype(array.dtype)
        if np.array_equal(np.squeeze(array), np.squeeze(like)):
            found.append({"name": name, "transposed": False, "dims": list(array.shape)})
        elif value.ndim == 2 and np.array_equal(np.squeeze(array), like.T):
            found.append({"name": name, "transposed": True, "dims": list(array.shape)})
        elif value.ndim == 1 and np.array_equal(np.squeeze(array), 1 + like):
            found.append({"name": name, "transposed": False, "plus": 1, "dims": list(array.shape)})
    return found


def truth(kind, model, given, cuts=True):
    """Everything of the file's truth that is PyTorch's."""
    double = exact(model)
    with torch.no_grad():
        outputs = [answer(kind, double, inputs) for inputs in given]
    told = {"anatomy": anatomy(kind, double), "output": kind.output,
            "samples": [{"inputs": {n: numbers(v) for n, v in inputs.items()}, "output": numbers(out)} for inputs, out in zip(given, outputs)]}
    if not cuts:
        return told, outputs, {}
    told["cuts"] = []
    for removed in removals(kind, kind.layers_of(double)):
        told["cuts"].append({"removed": removed, "outputs": [numbers(masked(kind, double, removed, inputs)) for inputs in given]})
    cotangent, gradients = differentiated(kind, double, given[0])
    told["gradients"] = {"sample": 0, "cotangent": numbers(cotangent), "weights": []}
    return told, outputs, gradients
