"""Makes a table of a prompt with `{variables}` and a list for each: every combination, or row by row; pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import product
from math import prod

from core import errors
from core.generations.sheets import columns
from core.generations.sheets.columns import HEADS, Column
from core.generations.sheets.tables import Table, of_texts
from core.messages import Message, message

_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_NAME = re.compile(r"\w[\w \-]{0,39}")


class Combine(StrEnum):
    """How values of several lists come together."""

    PRODUCT = "product"
    """Each with each."""
    ZIP = "zip"
    """The first with the first, the second with the second."""


def names(prompt: str) -> list[str]:
    """The variables of a prompt, each once, in their order; `{{` and `}}` are braces. InvalidRequest for a lone one."""
    return list(dict.fromkeys(name for name, _text in _parts(prompt) if name))


def count(lists: Mapping[str, Sequence[str]], combine: Combine) -> int:
    """How many prompts the lists make."""
    sizes = [len(values) for values in lists.values()]
    return 0 if not sizes else prod(sizes) if combine is Combine.PRODUCT else min(sizes)


def expand(prompt: str, lists: Mapping[str, Sequence[str]], combine: Combine, *, max_rows: int) -> Table:
    """A table with a prompt a combination, and a column a variable, which tells the result's rows apart.

    InvalidRequest for a prompt without variables, one without values or with values of no variable, lists of several
    lengths that go row by row, and more than `max_rows` combinations.
    """
    found = names(prompt)
    if not found:
        raise errors.InvalidRequest(fields={"prompt": message("prompt_without_variables")})
    for name in lists:
        if name not in found:
            raise _wrong_list(name, message("variable_not_in_prompt", name=name[:80]))
    values = {name: [value.strip() for value in lists.get(name, ()) if value.strip()] for name in found}
    for name in found:
        if not values[name]:
            raise _wrong_list(name, message("variable_without_values", name=name))
    if combine is Combine.ZIP and len({len(each) for each in values.values()}) > 1:
        lengths = ", ".join(f"{name} {len(each)}" for name, each in values.items())
        raise errors.InvalidRequest(fields={"lists": message("variable_lists_differ", lengths=lengths)})
    if (number := count(values, combine)) > max_rows:
        raise errors.InvalidRequest(fields={"lists": message("too_many_combinations", count=number, limit=max_rows)})
    chosen = product(*values.values()) if combine is Combine.PRODUCT else zip(*values.values(), strict=True)
    heads = [HEADS[Column.PROMPT], *map(_head, found)]
    lines = ((_filled(prompt, dict(zip(found, some, strict=True))), *some) for some in chosen)
    return of_texts(heads, lines, max_rows=max_rows)


def _head(name: str) -> str:
    """The column of a variable; one that is called as a setting orders nothing by that."""
    return f"Variable {name}" if columns.is_known(name) or columns.is_of_result(name) else name


def _filled(prompt: str, values: Mapping[str, str]) -> str:
    return "".join(values[name] if name else text for name, text in _parts(prompt))


def _parts(prompt: str) -> Iterator[tuple[str, str]]:
    """(name of a variable, ``) or (``, text), one after another."""
    end = 0
    for found in _PART.finditer(prompt):
        yield "", prompt[end : found.start()]
        end = found.end()
        match found[0]:
            case "{{" | "}}":
                yield "", found[0][0]
            case "{" | "}":
                raise errors.InvalidRequest(fields={"prompt": message("variable_unclosed")})
            case _:
                name = " ".join(found[1].split())
                if not _NAME.fullmatch(name):
                    raise errors.InvalidRequest(fields={"prompt": message("variable_unnamed")})
                yield name, ""
    yield "", prompt[end:]


def _wrong_list(name: str, why: Message) -> errors.InvalidRequest:
    return errors.InvalidRequest(fields={f"lists.{name}"[:80]: why})
