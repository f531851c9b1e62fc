"""The pixel work of cutting an image that was cleaned before; run in a process of its own by `core.files.isolated`."""

import io
import json
from collections.abc import Mapping
from typing import Any

from PIL import Image


def work(given: bytes) -> tuple[Mapping[str, Any], bytes]:
    """The part of an image between four edges (left, top, right, bottom), given as JSON in a line before its bytes."""
    edges, _, data = given.partition(b"\n")
    left, top, right, bottom = json.loads(edges)
    target = io.BytesIO()
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as picture:
        picture.crop((left, top, right, bottom)).convert("RGB").save(target, "JPEG", quality=95, subsampling=0)
    return {}, target.getvalue()
