"""Makes reviews.parquet as Python's libraries write it: pip install pyarrow, python reviews.recipe.py.

Pairs of texts with declared classes (the metadata that Hugging Face datasets adds), zstd, dictionary pages, 64 rows a group.
"""

import json

import pyarrow as pa
import pyarrow.parquet as pq

names = ["entailment", "neutral", "contradiction"]
text = {"dtype": "string", "_type": "Value"}
features = {"premise": text, "hypothesis": text, "label": {"names": names, "_type": "ClassLabel"}}
schema = pa.schema(
    [("premise", pa.string()), ("hypothesis", pa.string()), ("label", pa.int64())],
    metadata={"huggingface": json.dumps({"info": {"features": features}})},
)
rows = range(200)
table = pa.table(
    {
        "premise": [f"Premise {i}: naïve café" for i in rows],
        "hypothesis": [f"Hypothesis {i}" for i in rows],
        "label": [i % 3 for i in rows],
    },
    schema=schema,
)
pq.write_table(table, "reviews.parquet", compression="zstd", row_group_size=64)
