"""
What schemathesis sends beside what it makes up, so that images are labelled, too: files of every format, whole and
damaged, and the names of models that are there. It is taken for the half of the calls, chosen by what was made up.
"""
import base64
import json
from pathlib import Path
from zlib import crc32

import schemathesis
from hypothesis import strategies as st

FIXTURES = Path(__file__).parents[3] / "test/fixtures"
MODELS = ["mobilenet_v1_1.0_224", "mobilenet_quant_v1_224", "efficientnet_lite0"]


def read(path, name):
    return [case[name] for case in json.loads((FIXTURES / path).read_text())["cases"]]


BASE64 = read("formats/cases.json", "file") + read("png/variants.json", "png")
FILES = [base64.b64decode(text) for text in BASE64]


def damaged(file, changes):
    """The file with other bytes at some places."""
    copy = bytearray(file)
    for place, byte in changes:
        copy[place % len(copy)] = byte
    return bytes(copy)


whole = st.sampled_from(FILES)
changes = st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), min_size=1, max_size=8)
bytes_of_images = st.one_of(
    whole,
    st.builds(damaged, whole, changes),
    st.builds(lambda file, share: file[: int(len(file) * share)], whole, st.floats(0, 1)),
    st.binary(),
)
schemathesis.openapi.media_type("application/octet-stream", bytes_of_images)


def choice(value):
    """@returns A number that depends on the value alone; None for the half of them."""
    number = crc32(repr(value).encode("utf8", "replace"))
    return None if number & 1 else number >> 1


def with_images(value, number):
    """JSON with images where it has texts."""
    if isinstance(value, str):
        return BASE64[number % len(BASE64)]
    if isinstance(value, list):
        return [with_images(item, number + i) for i, item in enumerate(value)]
    if isinstance(value, dict):
        images = {"image", "images", "inputs"}
        return {key: with_images(item, number) if key in images else item for key, item in value.items()}
    return value


def tensor(number):
    """The input of an inference: one or two files."""
    files = [BASE64[(number + i) % len(BASE64)] for i in range(1 + number % 2)]
    return {"name": "image", "datatype": "BYTES", "shape": [len(files)], "data": files}


@schemathesis.hook
def map_body(ctx, body):
    number = choice(body)
    if number is None or isinstance(body, bytes):
        return body
    if ctx.operation.path.endswith("/infer"):
        return {**body, "inputs": [tensor(number)]} if isinstance(body, dict) else body
    return with_images(body, number)


@schemathesis.hook
def map_path_parameters(ctx, parameters):
    number = choice(parameters)
    if number is None or not parameters or "name" not in parameters:
        return parameters
    version = {"version": "1"} if "version" in parameters else {}
    return {"name": MODELS[number % len(MODELS)], **version}


@schemathesis.hook
def map_query(ctx, query):
    number = choice(query)
    if number is None or not query or "model" not in query:
        return query
    return {**query, "model": MODELS[number % len(MODELS)]}
