"""The page of the errors: code, HTTP status and meaning of everything a person or a script can be told."""

import inspect
from collections.abc import Iterator

from core import errors
from tools.reference_docs import markdown


def page() -> str:
    """The page as it must stand in docs/reference."""
    rows = [
        (
            f"`{each.code}`",
            str(each.http_status),
            each.fault.value,
            " ".join(inspect.cleandoc(each.__doc__ or "").split()),
        )
        for each in _tree(errors.AppError)
    ]
    return markdown.page(
        "Errors",
        'An error of the API is `{"success": false, "error": {"code", "message", "fields"?}}`. The code is stable; the '
        "message is for people and may be reworded. `fields` says for each field of the request what to change. A "
        "generation that failed has the code as its `errorCode`.",
        "*Who* has to change something before the same thing can work: the user, the provider or the operator of the "
        "installation.",
        markdown.table(("code", "HTTP", "who", "meaning"), rows),
    )


def _tree(error: type[errors.AppError]) -> Iterator[type[errors.AppError]]:
    """An error and all below it, in the order they are written."""
    yield error
    for below in error.__subclasses__():
        if below.__module__.startswith(f"{errors.__name__}."):
            yield from _tree(below)
