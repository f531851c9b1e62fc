"""What a customer orders, checked; shared by the server that takes the order and the child process that draws it."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

FRAME_RATE = 24
LONGEST_SECONDS = 16
LONGEST_EDGE = 3840
SHORTEST_EDGE = 32
LONGEST_PROMPT_CHARS = 10_000
LONGEST_REFERENCE_CHARS = 200


class BadOrder(ValueError):
    """A value that cannot be drawn; `field` is its name in the order."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Order:
    """One clip. Sizes in pixels; the images themselves lie beside the order as files."""

    reference: str
    prompt: str
    width: int
    height: int
    seconds: float
    audio: bool = False

    @property
    def frames(self) -> int:
        """How many frames the clip has."""
        return round(self.seconds * FRAME_RATE)

    def as_json(self) -> dict[str, Any]:
        """The fields, ready for JSON."""
        return asdict(self)


def parse(body: object) -> tuple[Order, dict[str, bytes]]:
    """The order in a JSON body, and its images by name (`start`, `end`) as JPEG bytes. Raises BadOrder."""
    if not isinstance(body, Mapping):
        raise BadOrder("body", "The body must be a JSON object.")
    reference = _text(body, "reference", LONGEST_REFERENCE_CHARS)
    if not reference:
        raise BadOrder("reference", "reference must not be empty.")
    seconds = body.get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 1 <= seconds <= LONGEST_SECONDS:
        raise BadOrder("seconds", f"seconds must be a number from 1 to {LONGEST_SECONDS}.")
    audio = body.get("audio", False)
    if not isinstance(audio, bool):
        raise BadOrder("audio", "audio must be true or false.")
    order = Order(
        reference=reference,
        prompt=_text(body, "prompt", LONGEST_PROMPT_CHARS),
        width=_edge(body, "width"),
        height=_edge(body, "height"),
        seconds=float(seconds),
        audio=audio,
    )
    images = {name: image for name in ("start", "end") if (image := _image(body, f"{name}_image")) is not None}
    return order, images


def _text(body: Mapping[str, Any], field: str, longest_chars: int) -> str:
    value = body.get(field)
    if not isinstance(value, str) or len(value) > longest_chars:
        raise BadOrder(field, f"{field} must be a text of at most {longest_chars} characters.")
    return value.encode("utf-8", "replace").decode()


def _edge(body: Mapping[str, Any], field: str) -> int:
    value = body.get(field)
    whole = value if isinstance(value, int) and not isinstance(value, bool) else 0
    if whole % 2 or not SHORTEST_EDGE <= whole <= LONGEST_EDGE:
        raise BadOrder(field, f"{field} must be an even number from {SHORTEST_EDGE} to {LONGEST_EDGE}.")
    return whole


def _image(body: Mapping[str, Any], field: str) -> bytes | None:
    value = body.get(field)
    if value is None:
        return None
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError):
        data = b""
    if not data.startswith(b"\xff\xd8\xff"):
        raise BadOrder(field, f"{field} must be a JPEG in base64.")
    return data
