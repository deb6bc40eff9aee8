"""Makes INT8 and optimized files of a golden export with ONNX Runtime's own tools.

    python recipe.py      # needs onnx and onnxruntime

dynamic.onnx and static.onnx (QDQ) are the quantizer's, blocks.onnx has matrices in blocks of 4 bits (MatMulNBits), optimized.onnx is
what the runtime makes of the file when it loads it, and optimized-dynamic.onnx that in 8 bits. Made with onnxruntime 1.32 from
../exports/bert-dy.onnx: 2 layers, 2 heads, 24 neurons, width 16, vocabulary 40.
"""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

HERE = Path(__file__).parent
SOURCE = str(HERE / "../exports/bert-dy.onnx")


def at(name):
    return str(HERE / f"{name}.onnx")


class Ones(CalibrationDataReader):
    def __init__(self):
        self.left = 2
        self.names = [one.name for one in ort.InferenceSession(SOURCE).get_inputs()]

    def get_next(self):
        self.left -= 1
        return {name: np.ones((1, 8), np.int64) for name in self.names} if self.left >= 0 else None


quantize_dynamic(SOURCE, at("dynamic"), per_channel=True, weight_type=QuantType.QInt8)
quantize_static(SOURCE, at("static"), Ones(), quant_format=QuantFormat.QDQ, per_channel=True)
blocks = MatMulNBitsQuantizer(onnx.load(SOURCE), bits=4, block_size=16)
blocks.process()
blocks.model.save_model_to_file(at("blocks"))
options = ort.SessionOptions()
options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
options.optimized_model_filepath = at("optimized")
ort.InferenceSession(SOURCE, options)
quantize_dynamic(at("optimized"), at("optimized-dynamic"), weight_type=QuantType.QInt8)
