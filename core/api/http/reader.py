"""In which language a stranger reads, as their browser asks for it (RFC 9110, 12.5.4); pure."""

import re
from collections.abc import Collection

_ITEM = re.compile(r"\s*([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9-]{1,40})?\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?")
_LIMIT_CHARS = 500


def language(accept_language: str, known: Collection[str], *, otherwise: str) -> str:
    """The tag of `known` that the header wants most, the earlier of two that it wants alike; `otherwise` for none."""
    wanted: dict[str, float] = {}
    for item in accept_language[:_LIMIT_CHARS].split(","):
        found = _ITEM.fullmatch(item)
        if found is not None:
            tag = found[1].lower()
            wanted.setdefault(otherwise if tag == "*" else tag, float(found[2] or 1))
    offered = [tag for tag, weight in wanted.items() if tag in known and weight > 0]
    return max(offered, key=wanted.__getitem__, default=otherwise)
