"""The page of the states: the diagram and tables of every place a generation can be in and every move."""

import ast
import inspect
from collections.abc import Mapping
from enum import StrEnum

from core.db.enums import MOVES, Place, Stage, Status
from tools.reference_docs import markdown


def page() -> str:
    """The page as it must stand in docs/reference."""
    return markdown.page(
        "States of a generation",
        "A generation has a *status*, which people and the API see, and a *stage*, which says where inside the "
        "status it is. These are all the moves there are. Each is one guarded UPDATE: who loses a race changes "
        "nothing.",
        markdown.code(_diagram(), "mermaid"),
        "## Statuses",
        markdown.table(("status", "meaning"), _meanings(Status).items()),
        "## Stages",
        markdown.table(("stage", "meaning"), _meanings(Stage).items()),
        "## Moves",
        markdown.table(("from", "to"), [(_words(place), ", ".join(map(_words, _in_order(place)))) for place in MOVES]),
    )


def _diagram() -> str:
    first = next(iter(MOVES))
    lines = ["stateDiagram-v2", f"    [*] --> {_node(first)}"]
    for place in MOVES:
        lines.append(f"    {_node(place)} : {_words(place)}")
        lines += [f"    {_node(place)} --> {_node(target)}" for target in _in_order(place)]
        if not MOVES[place]:
            lines.append(f"    {_node(place)} --> [*]")
    return "\n".join(lines)


def _in_order(place: Place) -> list[Place]:
    """Where one can go from here, in the order of the table of moves."""
    return [target for target in MOVES if target in MOVES[place]]


def _node(place: Place) -> str:
    return "_".join(place)


def _words(place: Place) -> str:
    status, stage = place
    return status.value if stage is Stage.ENDED else f"{status}/{stage}"


def _meanings(words: type[StrEnum]) -> Mapping[str, str]:
    """Each word of an enum, and the text below it in the source; ValueError for one that has none."""
    (tree,) = ast.parse(inspect.getsource(words)).body
    assert isinstance(tree, ast.ClassDef)  # noqa: S101 -- it is the source of a class
    texts: dict[str, str] = {}
    for node, following in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(following, ast.Expr):
            texts[node.targets[0].id] = ast.literal_eval(following.value)
    if missing := [word.name for word in words if word.name not in texts]:
        raise ValueError(f"{words.__name__} says nothing below {', '.join(missing)}")
    return {f"`{word.value}`": " ".join(texts[word.name].split()) for word in words}
