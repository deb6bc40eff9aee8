"""Files: without traces of source code, with their weights beside them where an exporter was told so, and the weights they hold."""

import copy

import onnx


def bare(proto):
    """Without the traces of source code in nodes and values, and the same at every run."""
    proto.ClearField("metadata_props")
    for graph in [proto.graph, *proto.functions]:
        for piece in [graph, *graph.node, *getattr(graph, "value_info", [])]:
            for name in ("doc_string", "metadata_props"):
                if name in piece.DESCRIPTOR.fields_by_name:
                    piece.ClearField(name)
    for piece in [*proto.graph.input, *proto.graph.output, *proto.graph.initializer]:
        for name in ("doc_string", "metadata_props"):
            if name in piece.DESCRIPTOR.fields_by_name:
                piece.ClearField(name)
    return proto


def write(proto, path, external):
    """The file, and its weights beside it where the exporter was told so."""
    if not external:
        path.write_bytes(proto.SerializeToString(deterministic=True))
        return
    beside = path.with_name(f"{path.name}.data")
    beside.unlink(missing_ok=True)
    onnx.save(copy.deepcopy(proto), path, save_as_external_data=True, location=beside.name, size_threshold=256)


def weights_of(proto):
    """Initializers and the values of Constant nodes, by name."""
    held = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in proto.graph.initializer}
    for node in proto.graph.node:
        if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
            held[node.output[0]] = onnx.numpy_helper.to_array(node.attribute[0].t)
    return held
