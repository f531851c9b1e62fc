"""What text from outside must be before a database and a provider can take it."""

import re

from core.messages import Message, message

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202d\u202e\ud800-\udfff]")
"""Control characters and surrogates, but for line breaks and tabs; and the overrides that turn what follows around."""


def text_error(value: str, *, limit_chars: int) -> Message | None:
    """What is wrong with a text, as a message for its field, or None.

    PostgreSQL stores no NUL, UTF-8 no lone surrogate, and no provider says what it does with control characters.
    """
    if len(value) > limit_chars:
        return message("text_too_long", limit=limit_chars, length=len(value))
    if _CONTROL.search(value):
        return message("control_characters")
    return None
