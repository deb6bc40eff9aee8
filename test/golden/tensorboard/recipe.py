"""Reads scalars.tfevents, which test/pipeline/tfevents.test.ts compares with what decant writes, as TensorBoard reads it.

pip install tensorboard==2.20.0; python test/golden/tensorboard/recipe.py > test/golden/tensorboard/read.json
"""

import json
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

path = Path(__file__).with_name("scalars.tfevents")
events = EventAccumulator(str(path), size_guidance={"scalars": 0})
events.Reload()
print(
    json.dumps(
        {
            tag: [{"at": one.wall_time, "step": one.step, "value": one.value} for one in events.Scalars(tag)]
            for tag in events.Tags()["scalars"]
        },
        indent=1,
        ensure_ascii=False,
    )
)
