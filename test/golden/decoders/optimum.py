"""Makes llama/optimum.onnx: the golden LLaMA with past and present as optimum exports it.

    VENV-optimum/bin/python optimum.py      # the environment of ../exports/known/README.md

Made with optimum 2.1.0, optimum-onnx 0.1.0, transformers 4.57.6, which reads rope_theta where version 5 has rope_parameters.
"""

import json
import shutil
import tempfile
from pathlib import Path

from optimum.exporters.onnx import main_export

HERE = Path(__file__).parent / "llama"

with tempfile.TemporaryDirectory() as folder:
    given, made = Path(folder) / "given", Path(folder) / "made"
    shutil.copytree(HERE, given)
    config = json.loads((given / "config.json").read_text())
    config["rope_theta"] = config.pop("rope_parameters")["rope_theta"]
    config["torch_dtype"] = config.pop("dtype")
    del config["transformers_version"]
    (given / "config.json").write_text(json.dumps(config))
    main_export(str(given), output=str(made), task="text-generation-with-past", do_validation=False, opset=17)
    shutil.copy(made / "model.onnx", HERE / "optimum.onnx")
