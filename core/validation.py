"""What text from outside must be before a database and a provider can take it."""

import unicodedata

from core.messages import Message, message


def text_error(value: str, *, limit_chars: int) -> Message | None:
    """What is wrong with a text, as a message for its field, or None.

    PostgreSQL stores no NUL, UTF-8 no lone surrogate, and no provider says what it does with control characters.
    """
    if len(value) > limit_chars:
        return message("text_too_long", limit=limit_chars, length=len(value))
    if any(unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\r\t" for char in value):
        return message("control_characters")
    return None
