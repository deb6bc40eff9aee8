"""What Python's tools make of a float model: onnxruntime's quantizers and its float16.

    rival.py MODEL FOLDER CALIBRATION

CALIBRATION is a JSON file: a list of feeds, each a list of token ids by the name of an input. Writes files into FOLDER and prints
one line of JSON a file: its path and how it was made. What a tool fails at is told on standard error and left out.
"""

import json
import os
import sys

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when the runtime is loaded

import logging

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization import matmul_nbits_quantizer as nbits


class Texts(CalibrationDataReader):
    def __init__(self, texts):
        self.left = iter(texts)

    def get_next(self):
        text = next(self.left, None)
        return None if text is None else {name: np.array([ids], dtype=np.int64) for name, ids in text.items()}


def in_blocks(source, target, algo=None, **options):
    quantizer = nbits.MatMulNBitsQuantizer(onnx.load(source), algo_config=algo, **options)
    quantizer.process()
    quantizer.model.save_model_to_file(target)


def float16(source, target):
    from onnxruntime.transformers import float16 as converter

    onnx.save(converter.convert_float_to_float16(onnx.load(source), keep_io_types=True), target)


def static(source, target, texts, method, **extra):
    quantize_static(
        source,
        target,
        Texts(texts),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=method,
        extra_options=extra,
    )


def recipes(texts):
    both = ("MatMul", "Gather")
    return {
        "quantize_dynamic, per channel": lambda s, t: quantize_dynamic(s, t, per_channel=True, weight_type=QuantType.QInt8),
        "quantize_dynamic, per tensor": lambda s, t: quantize_dynamic(s, t, weight_type=QuantType.QInt8),
        "quantize_static, products, min-max": lambda s, t: static(s, t, texts, CalibrationMethod.MinMax),
        "float16": float16,
        "8 bits in blocks of 32, body": lambda s, t: in_blocks(s, t, bits=8, block_size=32, is_symmetric=False),
        "4 bits in blocks of 32, body": lambda s, t: in_blocks(s, t, block_size=32, is_symmetric=False),
        "4 bits in blocks of 32, symmetric, body": lambda s, t: in_blocks(s, t, block_size=32, is_symmetric=True),
        "4 bits in blocks of 128, body": lambda s, t: in_blocks(s, t, block_size=128, is_symmetric=False),
        "4 bits in blocks of 32, HQQ, body": lambda s, t: in_blocks(s, t, nbits.HQQWeightOnlyQuantConfig(block_size=32)),
        "4 bits in blocks of 32, table too": lambda s, t: in_blocks(
            s, t, block_size=32, is_symmetric=False, op_types_to_quantize=both, quant_axes=(("MatMul", 0), ("Gather", 1))
        ),
    }


def main(source, folder, calibration):
    logging.disable(logging.WARNING)
    with open(calibration) as file:
        texts = json.load(file)
    for i, (recipe, make) in enumerate(recipes(texts).items()):
        target = os.path.join(folder, f"python-{i}.onnx")
        try:
            make(source, target)
        except Exception as error:  # a tool that fails is a result, too
            print(f"{recipe}: {type(error).__name__}: {error}", file=sys.stderr)
            continue
        print(json.dumps({"file": target, "recipe": recipe}), flush=True)


main(*sys.argv[1:4])
